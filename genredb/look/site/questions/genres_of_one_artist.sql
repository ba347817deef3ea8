-- Which genres with several songs belong to a single artist?
select
    genres.genre,
    genres.song_count,
    min(songs.artist) as artist
from genres
inner join songs on genres.genre = songs.genre
where genres.artist_count = 1 and genres.song_count > 1
group by genres.genre, genres.song_count
order by genres.song_count desc, genres.genre asc
limit 15
