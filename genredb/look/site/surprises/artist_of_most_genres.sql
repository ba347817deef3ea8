with

labelled as (
    select
        artist,
        artist_key,
        genre,
        genre_count,
        labelled_song_count,
        count(*) over () as artists,
        count_if(genre_count > 1) over () as several
    from artists
    where genre_count > 0
)

select
    genre as subject,
    genre,
    artist,
    genre_count as genres,
    several,
    artists as labelled
from labelled
where genre_count > 1
order by genre_count desc, labelled_song_count desc, artist_key asc
limit 1
