with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

genres as (
    select * from {{ ref('genres') }}
),

final as (
    select
        songs.song_key,
        songs.source,
        songs.id,
        songs.title,
        songs.artist,
        predictions.genre,
        genres.genre_group,
        predictions.basis,
        predictions.classifier_id,
        predictions.probability,
        predictions.runner_ups
    from predictions
    inner join songs on predictions.song_key = songs.song_key
    left join genres on predictions.genre = genres.genre
)

select * from final
order by source, id
