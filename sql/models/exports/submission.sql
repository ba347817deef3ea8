with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ ref('predictions') }}
),

final as (
    select
        songs.id as "Id",
        predictions.genre as "top genre"
    from songs
    left join predictions on songs.song_key = predictions.song_key
    where songs.source = 'test'
)

select * from final
order by "Id"
