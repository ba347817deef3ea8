with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

final as (
    select
        songs.song_key,
        songs.source,
        songs.id,
        songs.title,
        songs.artist,
        case
            when predictions.probability >= predictions.min_probability
                then predictions.genre
        end as genre,
        predictions.genre_group,
        predictions.basis,
        predictions.classifier_id,
        predictions.probability,
        predictions.group_probability,
        predictions.group_probabilities,
        predictions.runner_ups
    from predictions
    inner join songs on predictions.song_key = songs.song_key
)

select * from final
order by source, id
