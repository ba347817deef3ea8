with

songs as (
    select * from {{ ref('songs') }}
),

-- A coefficient is the same in both directions, so each is computed once.
coefficients as (
    select
        {% for first in var('audio_columns') -%}
            {% for second in var('audio_columns')[loop.index0:] -%}
                corr({{ first }}, {{ second }}) as {{ first }}_{{ second }}
                {%- if not loop.last %}, {% endif %}
            {% endfor -%}
            {% if not loop.last %}, {% endif %}
        {% endfor %}
    from songs
    where genre is not null
),

-- One reading of the coefficients: Spark would compute them for each.
pairs as (
    select
        unnest([
            {% for first in var('audio_columns') -%}
                {% set outer = loop -%}
                {% for second in var('audio_columns') -%}
                    {% set pair = [first, second] -%}
                    {% if loop.index < outer.index -%}
                        {% set pair = [second, first] -%}
                    {% endif -%}
                    {
                        'column_name': '{{ first }}',
                        'other_column_name': '{{ second }}',
                        'correlation': {{ pair | join('_') }}
                    }
                    {%- if not (loop.last and outer.last) %},
                    {% endif -%}
                {% endfor -%}
            {% endfor %}
        ]) as pair
    from coefficients
),

final as (
    select
        pair.column_name,
        pair.other_column_name,
        pair.correlation
    from pairs
)

select * from final
