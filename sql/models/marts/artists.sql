with

songs as (
    select * from {{ ref('songs') }}
),

-- Windows over these spill to disk where a join of two summaries would not.
artist_genres as (
    select
        artist_key,
        genre,
        min(artist) as artist,
        count(*) as song_count,
        count(genre) as labelled_song_count,
        min(year) as first_year,
        max(year) as last_year
    from songs
    where artist_key is not null
    group by artist_key, genre
),

ranked as (
    select
        artist_key,
        genre,
        min(artist) over (partition by artist_key) as artist,
        sum(song_count) over (partition by artist_key) as song_count,
        sum(labelled_song_count) over (
            partition by artist_key
        ) as labelled_song_count,
        count(genre) over (partition by artist_key) as genre_count,
        min(first_year) over (partition by artist_key) as first_year,
        max(last_year) over (partition by artist_key) as last_year,
        row_number() over (
            partition by artist_key
            order by labelled_song_count desc, genre asc
        ) as place
    from artist_genres
),

final as (
    select
        artist_key,
        artist,
        genre,
        cast(song_count as bigint) as song_count,
        cast(labelled_song_count as bigint) as labelled_song_count,
        genre_count,
        first_year,
        last_year
    from ranked
    where place = 1
    order by artist_key
)

select * from final
