with

playlists as (
    select * from {{ source('raw', 'playlists') }}
),

-- Without playlists nothing is read.
raw_artists as (
    {% for name in ['songs_train', 'songs_extra', 'songs_test'] -%}
        select artist from {{ source('raw', name) }}
        where exists (select 1 from playlists)
        {% if not loop.last -%}
            union
        {% endif -%}
    {% endfor %}
),

known_artists as (
    select distinct lower({{ tidy(repair_mojibake('artist')) }}) as artist_key
    from raw_artists
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

part_counts as (
    select
        artists,
        string_split(first_text, ',') as parts,
        unnest(range(1, array_length(string_split(first_text, ',')) + 1))
            as part_count
    from cells
    where not has_semicolon
),

beginnings as (
    select
        artists,
        part_count,
        array_to_string(parts[1:part_count], ',') as artist
    from part_counts
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
                regexp_full_match(left(playlists.release_date, 4), '\d{4}')
                and left(playlists.release_date, 4) between '1860' and '2100'
                then left(playlists.release_date, 4)::integer
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
