with

song_features as (
    select * from {{ ref('song_features') }}
),

final as (
    select
        *,
        1.0::double / count(*) over (
            partition by
                artist_key,
                case when artist_key is null then song_key end
        ) as artist_weight
    from song_features
    where genre is not null
)

select * from final
