with

playlists as (
    select * from {{ source('raw', 'playlists') }}
),

known_artists as (
    select distinct lower(trim(artist)) as artist_key
    from {{ source('raw', 'songs_train') }}
    union
    select distinct lower(trim(artist)) as artist_key
    from {{ source('raw', 'songs_extra') }}
    union
    select distinct lower(trim(artist)) as artist_key
    from {{ source('raw', 'songs_test') }}
),

cells as (
    select distinct
        artists,
        -- Commas may separate artists, or be part of one's name.
        string_split(regexp_replace(artists, ';.*', ''), ',') as parts
    from playlists
    where artists is not null
),

beginnings as (
    select
        artists,
        unnest(range(1, len(parts) + 1)) as part_count,
        unnest(list_transform(
            range(1, len(parts) + 1),
            lambda part: array_to_string(parts[1:part], ',')
        )) as artist
    from cells
),

lead_artists as (
    select
        beginnings.artists,
        arg_max(beginnings.artist, beginnings.part_count) as artist
    from beginnings
    inner join known_artists
        on lower(trim(beginnings.artist)) = known_artists.artist_key
    group by beginnings.artists
),

final as (
    select
        playlists.file_stem,
        playlists.row_number as id,
        playlists.title,
        -- Without a space behind it, a comma is taken for a separator.
        coalesce(
            lead_artists.artist,
            regexp_replace(playlists.artists, '(;|,\S).*', '')
        ) as artist,
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
    left join lead_artists on playlists.artists = lead_artists.artists
)

select * from final
