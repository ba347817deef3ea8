with

songs as (
    select * from {{ ref('songs') }}
),

coefficients as (
    select
        {% for first in var('audio_columns') -%}
            {% for second in var('audio_columns') -%}
                corr({{ first }}, {{ second }}) as {{ first }}_{{ second }}
                {%- if not loop.last %}, {% endif %}
            {% endfor -%}
            {% if not loop.last %}, {% endif %}
        {% endfor %}
    from songs
    where genre is not null
),

final as (
    {% for first in var('audio_columns') -%}
        {% set outer = loop -%}
        {% for second in var('audio_columns') -%}
            select
                '{{ first }}' as column_name,
                '{{ second }}' as other_column_name,
                {{ first }}_{{ second }} as correlation
            from coefficients
            {% if not (loop.last and outer.last) -%}
                union all
            {% endif -%}
        {% endfor -%}
    {% endfor %}
)

select * from final
