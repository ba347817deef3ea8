with

songs as (
    select * from {{ ref('songs') }}
),

predictions as (
    select * from {{ source('ml', 'predictions') }}
),

-- Both sums read it: a copy of all songs would be large.
predicted_songs as (
    select
        songs.artist_key,
        songs.artist,
        predictions.genre,
        predictions.probability,
        predictions.runner_ups
    from predictions
    inner join songs on predictions.song_key = songs.song_key
    where songs.artist_key is not null
),

runner_ups as (
    select
        artist_key,
        unnest(runner_ups) as runner_up
    from predicted_songs
),

candidates as (
    select
        artist_key,
        genre,
        probability
    from predicted_songs
    union all
    select
        artist_key,
        runner_up.genre,
        runner_up.probability
    from runner_ups
),

counted as (
    select
        artist_key,
        min(artist) as artist,
        count(*) as song_count,
        count(distinct genre) as genre_count
    from predicted_songs
    group by artist_key
),

summed as (
    select
        artist_key,
        genre,
        sum(probability) as total,
        row_number() over (
            partition by artist_key
            order by sum(probability) desc, genre asc
        ) as place
    from candidates
    group by artist_key, genre
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
