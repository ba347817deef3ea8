-- No step between raw and songs may drop or duplicate a row.
with

raw_rows as (
    select 'train:' || id as song_key
    from {{ source('raw', 'songs_train') }}
    union all
    select 'test:' || id as song_key
    from {{ source('raw', 'songs_test') }}
    union all
    select file_stem || ':' || id as song_key
    from {{ source('raw', 'songs_extra') }}
    union all
    select file_stem || ':' || row_number as song_key
    from {{ source('raw', 'playlists') }}
),

songs as (
    select song_key from {{ ref('songs') }}
)

select
    raw_rows.song_key as raw_song_key,
    songs.song_key
from raw_rows
full outer join songs on raw_rows.song_key = songs.song_key
where raw_rows.song_key is null or songs.song_key is null
