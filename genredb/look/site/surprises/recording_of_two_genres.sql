select
    min(title) as subject,
    min(song_key) as song,
    min(artist) as artist,
    count(*) as songs,
    min(genre) as one,
    max(genre) as other
from songs
where genre is not null and recording_key is not null
group by recording_key
having count(distinct genre) > 1
order by song
limit 1
