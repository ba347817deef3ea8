with

song_features as (
    select * from {{ ref('song_features') }}
),

final as (
    select
        *,
        1.0::double / count(*) over (
            partition by coalesce(artist_key, song_key)
        ) as artist_weight
    from song_features
    where genre is not null
)

select * from final
