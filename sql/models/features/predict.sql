with

song_features as (
    select * from {{ ref('song_features') }}
),

final as (
    select * exclude (genre, genre_group)
    from song_features
    where genre is null
)

select * from final
