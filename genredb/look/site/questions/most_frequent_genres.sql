-- Which genres have the most songs, and how many artists make them?
select
    genre,
    genre_group,
    song_count,
    artist_count,
    round(100 * song_share, 1) as percent
from genres
order by song_count desc, genre asc
limit 15
