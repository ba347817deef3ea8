with

stg_songs as (
    select * from {{ ref('stg_songs') }}
),

stg_genres as (
    select * from {{ ref('stg_genres') }}
),

final as (
    select
        stg_songs.song_key,
        stg_songs.source,
        stg_songs.id,
        stg_songs.artist_key,
        stg_songs.recording_key,
        stg_songs.duplicate_of,
        stg_songs.title,
        stg_songs.artist,
        stg_songs.genre,
        stg_genres.genre_group,
        stg_genres.genre_group_basis,
        case
            when stg_songs.genre is null then 'predict' else 'train'
        end as split,
        {% for column in var('audio_columns') -%}
            stg_songs.{{ column }},
        {% endfor -%}
        stg_songs.is_remaster,
        stg_songs.is_mix,
        stg_songs.is_repaired
    from stg_songs
    left join stg_genres on stg_songs.genre = stg_genres.genre
    order by stg_songs.source_rank, stg_songs.source, stg_songs.id
)

select * from final
