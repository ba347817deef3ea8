with

songs as (
    select * from {{ ref('songs') }}
),

counted as (
    select
        genre,
        genre_group,
        genre_group_basis,
        count(*) as song_count,
        count(distinct artist_key) as artist_count
    from songs
    where genre is not null
    group by genre, genre_group, genre_group_basis
),

final as (
    select
        genre,
        genre_group,
        genre_group_basis,
        song_count,
        artist_count,
        song_count / sum(song_count) over () as song_share,
        song_count >= {{ min_genre_songs() }} as is_common
    from counted
    order by genre
)

select * from final
