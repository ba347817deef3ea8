with

stg_songs as (
    select * from {{ ref('stg_songs') }}
),

stg_genres as (
    select * from {{ ref('stg_genres') }}
),

-- Few songs share all audio columns with another one; only their texts are
-- compared. Each step reads the table itself: of a query that is read several
-- times, a copy would be kept.
alike as (
    select {{ var('audio_columns') | join(', ') }}
    from {{ ref('stg_songs') }}
    group by {{ var('audio_columns') | join(', ') }}
    having count(*) > 1
),

repeated as (
    select
        {{ var('audio_columns') | join(',\n        ') }},
        artist_key,
        lower(title) as title_key,
        arg_min(song_key, (source_rank, source, id)) as first_song_key
    from {{ ref('stg_songs') }} as candidates
    where
        title is not null
        and artist_key is not null
        and exists (
            select 1
            from alike
            where
                {% for column in var('audio_columns') -%}
                    alike.{{ column }}
                    is not distinct from candidates.{{ column }}
                    {%- if not loop.last %} and{% endif %}
                {% endfor %}
        )
    group by
        {{ var('audio_columns') | join(',\n        ') }},
        artist_key,
        lower(title)
    having count(*) > 1
),

final as (
    select
        stg_songs.song_key,
        stg_songs.source,
        stg_songs.id,
        stg_songs.artist_key,
        stg_songs.recording_key,
        case
            when repeated.first_song_key <> stg_songs.song_key
                then repeated.first_song_key
        end as duplicate_of,
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
    left join repeated
        on
            stg_songs.artist_key = repeated.artist_key
            and lower(stg_songs.title) = repeated.title_key
            {% for column in var('audio_columns') -%}
                and stg_songs.{{ column }}
                is not distinct from repeated.{{ column }}
            {% endfor %}
    order by stg_songs.source_rank, stg_songs.source, stg_songs.id
)

select * from final
