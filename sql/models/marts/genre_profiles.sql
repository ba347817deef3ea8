with

songs as (
    select * from {{ ref('songs') }}
),

final as (
    {% for column in var('audio_columns') -%}
        select
            genre,
            '{{ column }}' as column_name,
            count({{ column }}) as value_count,
            avg({{ column }}) as mean,
            stddev_samp({{ column }}) as standard_deviation
        from songs
        where genre is not null
        group by genre
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
)

select * from final
order by genre, column_name
