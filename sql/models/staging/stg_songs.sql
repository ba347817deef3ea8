with

songs_train as (
    select * from {{ source('raw', 'songs_train') }}
),

songs_test as (
    select * from {{ source('raw', 'songs_test') }}
),

songs_extra as (
    select * from {{ source('raw', 'songs_extra') }}
),

stg_playlists as (
    select * from {{ ref('stg_playlists') }}
),

unioned as (
    select
        'train' as source,
        1 as source_rank,
        songs_train.*
    from songs_train
    union all by name
    select
        songs_extra.file_stem as source,
        2 as source_rank,
        songs_extra.* exclude (file_stem)
    from songs_extra
    union all by name
    select
        'test' as source,
        3 as source_rank,
        songs_test.*
    from songs_test
    union all by name
    select
        stg_playlists.file_stem as source,
        4 as source_rank,
        stg_playlists.* exclude (file_stem)
    from stg_playlists
),

repaired as (
    select
        *,
        {{ repair_mojibake('title') }} as repaired_title,
        {{ repair_mojibake('artist') }} as repaired_artist
    from unioned
),

cleaned as (
    select
        *,
        {{ tidy('repaired_title') }} as clean_title,
        {{ tidy('repaired_artist') }} as clean_artist,
        lower({{ tidy('top_genre') }}) as genre
    from repaired
),

keyed as (
    select
        *,
        source || ':' || id as song_key,
        lower(clean_artist) as artist_key,
        lower(clean_title) as title_key,
        -- "Surf City - Remastered 1990/Stereo Remix" is a "Surf City".
        regexp_replace(
            lower(clean_title),
            '( [-–] | ?[(\[])[^-–(\[]*'
            || '\b(remaster\w*|remix|mix|edit|version|mono|stereo)\b.*',
            ''
        ) || ' / ' || lower(clean_artist) as recording_key
    from cleaned
),

final as (
    select
        song_key,
        source,
        id,
        artist_key,
        recording_key,
        clean_title as title,
        clean_artist as artist,
        genre,
        source_rank,
        {{ var('audio_columns') | join(',\n        ') }},
        coalesce(title_key like '%remaster%', false) as is_remaster,
        coalesce(
            regexp_matches(title_key, '( - |[(/]).*\b((re)?mix|edit)\b'), false
        ) as is_mix,
        coalesce(
            repaired_title <> title or repaired_artist <> artist, false
        ) as is_repaired
    from keyed
)

select * from final
