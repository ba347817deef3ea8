{{ config(enabled=var('baselines')) }}

with

neighbors as (
    {{ nearest_genres(ref('train'), ref('predict'), var('audio_columns')) }}
),

ranked as (
    select
        song_key,
        genre,
        neighbor_count / sum(neighbor_count) over (partition by song_key)
            as probability,
        row_number() over (
            partition by song_key order by neighbor_count desc, genre asc
        ) as place
    from neighbors
),

final as (
    select
        song_key,
        genre,
        probability
    from ranked
    where place = 1
    order by song_key
)

select * from final
