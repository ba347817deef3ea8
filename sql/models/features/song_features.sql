with

songs as (
    select * from {{ ref('songs') }}
),

final as (
    select
        song_key,
        source,
        id,
        artist_key,
        genre,
        genre_group,
        -- to add a feature: an expression here, its role in features.yml
        {{ var('audio_columns') | join(',\n        ') }}
    from songs
)

select * from final
