-- Which artists have the most songs, and over how many years?
select
    artist,
    genre,
    song_count,
    labelled_song_count,
    first_year,
    last_year
from artists
order by song_count desc, artist_key asc
limit 15
