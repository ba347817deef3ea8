-- Which songs sound sad (low valence) and are danceable all the same?
select
    title,
    artist,
    genre,
    val,
    dnce,
    bpm
from songs
where val < 40 and dnce > 70
order by dnce - val desc, song_key asc
limit 15
