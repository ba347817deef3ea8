-- More than twice as far as half of the songs, in a genre of at least ten.
with

numbers as (
    select
        song_key,
        genre,
        audio_columns
    from songs
    where genre is not null
),

listed as (
    unpivot numbers
    on columns(* exclude (song_key, genre)) into name column_name value number
),

measured as (
    select
        listed.song_key,
        listed.genre,
        sqrt(
            avg(
                pow(
                    (listed.number - profiles.mean)
                    / nullif(columns_of_all.standard_deviation, 0),
                    2
                )
            )
        ) as distance
    from listed
    inner join genre_profiles as profiles
        on
            listed.genre = profiles.genre
            and listed.column_name = profiles.column_name
            and profiles.value_count >= 10
    inner join numeric_summary as columns_of_all
        on listed.column_name = columns_of_all.column_name
    group by listed.song_key, listed.genre
),

compared as (
    select
        song_key,
        genre,
        distance,
        median(distance) over () as typical
    from measured
)

select
    songs.title as subject,
    songs.song_key as song,
    songs.artist,
    compared.genre as of_genre,
    compared.distance,
    compared.typical
from compared
inner join songs on compared.song_key = songs.song_key
where compared.distance > 2 * compared.typical
order by compared.distance desc, song asc
limit 1
