with

playlists as (
    select * from {{ source('raw', 'playlists') }}
),

raw_artists as (
    select artist from {{ source('raw', 'songs_train') }}
    union
    select artist from {{ source('raw', 'songs_extra') }}
    union
    select artist from {{ source('raw', 'songs_test') }}
),

known_artists as (
    select distinct lower({{ tidy(repair_mojibake('artist')) }}) as artist_key
    from raw_artists
    where exists (select 1 from playlists)
),

-- Semicolons separate artists. Without semicolons, a comma may separate artists
-- or be part of a name ("Earth, Wind & Fire").
cells as (
    select distinct
        artists,
        regexp_extract(artists, '^[;\s]*([^;]*)', 1) as first_text,
        contains(artists, ';') as has_semicolon
    from playlists
    where artists is not null
),

beginnings as (
    select
        artists,
        unnest(range(1, len(string_split(first_text, ',')) + 1)) as part_count,
        unnest(list_transform(
            range(1, len(string_split(first_text, ',')) + 1),
            lambda part: array_to_string(
                string_split(first_text, ',')[1:part], ','
            )
        )) as artist
    from cells
    where not has_semicolon
),

lead_artists as (
    select
        beginnings.artists,
        arg_max(beginnings.artist, beginnings.part_count) as artist
    from beginnings
    inner join known_artists
        on lower({{ tidy('beginnings.artist') }}) = known_artists.artist_key
    group by beginnings.artists
),

final as (
    select
        playlists.file_stem,
        playlists.row_number as id,
        playlists.title,
        case
            when cells.has_semicolon then cells.first_text
            -- A comma separates unless a space or a digit follows it.
            else coalesce(
                lead_artists.artist,
                regexp_replace(cells.first_text, ',[^\s\d].*', '')
            )
        end as artist,
        case
            when
                try_cast(left(playlists.release_date, 4) as integer)
                between 1860 and 2100
                then try_cast(left(playlists.release_date, 4) as integer)
        end as year,
        round(playlists.tempo)::integer as bpm,
        round(100 * playlists.energy)::integer as nrgy,
        round(100 * playlists.danceability)::integer as dnce,
        round(playlists.loudness)::integer as db,
        round(100 * playlists.liveness)::integer as live,
        round(100 * playlists.valence)::integer as val,
        round(playlists.duration_ms / 1000)::integer as dur,
        round(100 * playlists.acousticness)::integer as acous,
        round(100 * playlists.speechiness)::integer as spch,
        playlists.popularity as pop
    from playlists
    left join cells on playlists.artists = cells.artists
    left join lead_artists on playlists.artists = lead_artists.artists
)

select * from final
