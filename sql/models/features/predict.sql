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

        {{ var('audio_columns') | join(',\n        ') }}
    from songs
    where genre is null
)

select * from final
