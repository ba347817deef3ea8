with

songs as (
    select * from {{ ref('songs') }}
),

{% for column in ['title', 'artist', 'genre', 'genre_group'] -%}
    {{ column }}_counts as (
        select
            {{ column }} as text_value,
            count(*) as value_count
        from songs
        where genre is not null and {{ column }} is not null
        group by {{ column }}
    ),

{% endfor -%}

final as (
    {% for column in ['title', 'artist', 'genre', 'genre_group'] -%}
        select
            '{{ column }}' as column_name,
            coalesce(sum(value_count), 0)::bigint as value_count,
            count(*) as distinct_count,
            arg_max(text_value, (value_count, text_value))
                as most_frequent_value,
            max(value_count) as most_frequent_count
        from {{ column }}_counts
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
)

select * from final
