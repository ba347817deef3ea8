-- Wrong in every repetition, always in the same way, and more likely than not.
select
    songs.title as subject,
    songs.song_key as song,
    songs.artist,
    scores.actual,
    any_value(scores.predicted) as predicted,
    avg(scores.probability) as probability
from ml.song_scores as scores
inner join songs on scores.song_key = songs.song_key
where
    scores.classifier = $1
    and scores.protocol = $2
    and scores.label = 'genre'
group by songs.title, songs.song_key, songs.artist, scores.actual
having
    not bool_or(scores.is_right)
    and count(distinct scores.predicted) = 1
    and avg(scores.probability) >= 0.4
order by probability desc, song asc
limit 1
