-- Which predictions are the least certain, and what else could the genre be?
select
    song_key,
    title,
    artist,
    genre,
    round(probability, 3) as probability,
    runner_ups[1].genre as next_genre,
    round(runner_ups[1].probability, 3) as next_probability
from predictions
order by probability asc, song_key asc
limit 15
