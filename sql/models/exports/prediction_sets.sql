with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

group_sets as (
    select * from {{ source('ml', 'group_sets') }}
    where protocol = 'cv'
),

-- Every set contains the most likely group.
sets as (
    select
        predictions.song_key,
        predictions.group_probabilities,
        group_sets.coverage,
        group_sets.held,
        least(group_sets.threshold, predictions.group_probability) as threshold
    from predictions
    inner join group_sets
        on
            predictions.basis = group_sets.basis
            and predictions.classifier_id = group_sets.classifier_id
),

candidates as (
    select
        sets.song_key,
        sets.coverage,
        sets.held,
        sets.threshold,
        unnest(sets.group_probabilities) as candidate
    from sets
),

final as (
    select
        songs.song_key,
        songs.title,
        songs.artist,
        candidates.coverage,
        candidates.held,
        list(
            candidates.candidate.genre_group
            order by
                candidates.candidate.probability desc,
                candidates.candidate.genre_group asc
        ) as genre_groups,
        count(*) as group_count
    from candidates
    inner join songs on candidates.song_key = songs.song_key
    where candidates.candidate.probability >= candidates.threshold
    group by all
)

select * from final
order by song_key, coverage
