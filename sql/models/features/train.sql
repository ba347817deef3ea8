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
        1.0::double / count(*) over (
            partition by coalesce(artist_key, song_key)
        ) as artist_weight,
        {{ var('audio_columns') | join(',\n        ') }}
    from songs
    where genre is not null
)

select * from final
