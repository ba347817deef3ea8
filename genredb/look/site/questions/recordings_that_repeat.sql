-- Which recordings occur more than once, under which keys?
select
    min(title) as title,
    min(artist) as artist,
    count(*) as songs,
    string_agg(song_key, ', ' order by song_key) as song_keys,
    string_agg(distinct genre, ', ' order by genre) as genres
from songs
where recording_key is not null
group by recording_key
having count(*) > 1
order by songs desc, song_keys asc
limit 15
