with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

final as (
    select
        songs.id as "Id", -- noqa: RF06
        predictions.genre as "top genre" -- noqa: RF05
    from songs
    left join predictions on songs.song_key = predictions.song_key
    where songs.source = 'test'
)

select * from final
order by "Id" -- noqa: RF06
