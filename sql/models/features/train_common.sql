with

train as (
    select * from {{ ref('train') }}
),

genres as (
    select * from {{ ref('genres') }}
),

final as (
    select
        train.song_key,
        train.source,
        train.id,
        train.artist_key,
        train.genre,
        train.genre_group,
        train.artist_weight,
        {% for column in var('audio_columns') -%}
            train.{{ column }}
            {%- if not loop.last %},{% endif %}
        {% endfor %}
    from train
    inner join genres on train.genre = genres.genre
    where genres.is_common
)

select * from final
