with

songs as (
    select * from {{ ref('songs') }}
),

final as (
    {% for column in var('audio_columns') -%}
        select
            '{{ column }}' as column_name,
            count({{ column }}) as value_count,
            avg({{ column }}) as mean,
            stddev_samp({{ column }}) as standard_deviation,
            min({{ column }}) as minimum,
            quantile_cont({{ column }}, 0.25) as lower_quartile,
            quantile_cont({{ column }}, 0.5) as median,
            quantile_cont({{ column }}, 0.75) as upper_quartile,
            max({{ column }}) as maximum
        from songs
        where genre is not null
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
)

select * from final
