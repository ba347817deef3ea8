with

songs as (
    select * from {{ ref('songs') }}
),

artist_genres as (
    select
        artist_key,
        genre,
        row_number() over (
            partition by artist_key order by count(*) desc, genre asc
        ) as place
    from songs
    where genre is not null and artist_key is not null
    group by artist_key, genre
),

counted as (
    select
        artist_key,
        min(artist) as artist,
        count(*) as song_count,
        count(genre) as labelled_song_count,
        count(distinct genre) as genre_count,
        min(year) as first_year,
        max(year) as last_year
    from songs
    where artist_key is not null
    group by artist_key
),

final as (
    select
        counted.artist_key,
        counted.artist,
        artist_genres.genre,
        counted.song_count,
        counted.labelled_song_count,
        counted.genre_count,
        counted.first_year,
        counted.last_year
    from counted
    left join artist_genres
        on
            counted.artist_key = artist_genres.artist_key
            and artist_genres.place = 1
    order by counted.artist_key
)

select * from final
