-- In which songs was a wrongly encoded title or artist repaired?
select
    song_key,
    title,
    artist
from songs
where is_repaired
order by song_key
limit 15
