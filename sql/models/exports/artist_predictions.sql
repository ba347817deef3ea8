with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

runner_ups as (
    select
        song_key,
        unnest(runner_ups) as runner_up
    from predictions
),

candidates as (
    select
        song_key,
        genre,
        probability
    from predictions
    union all
    select
        song_key,
        runner_up.genre,
        runner_up.probability
    from runner_ups
),

counted as (
    select
        songs.artist_key,
        min(songs.artist) as artist,
        count(*) as song_count,
        count(distinct predictions.genre) as genre_count
    from predictions
    inner join songs on predictions.song_key = songs.song_key
    where songs.artist_key is not null
    group by songs.artist_key
),

summed as (
    select
        songs.artist_key,
        candidates.genre,
        sum(candidates.probability) as total,
        row_number() over (
            partition by songs.artist_key
            order by sum(candidates.probability) desc, candidates.genre asc
        ) as place
    from candidates
    inner join songs on candidates.song_key = songs.song_key
    group by songs.artist_key, candidates.genre
),

final as (
    select
        counted.artist_key,
        counted.artist,
        counted.song_count,
        counted.genre_count,
        summed.genre,
        summed.total / counted.song_count as probability
    from counted
    inner join summed
        on
            counted.artist_key = summed.artist_key
            and summed.place = 1
)

select * from final
order by artist_key
