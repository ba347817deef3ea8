{% set shares = {
    'lower_quartile': 0.25, 'median': 0.5, 'upper_quartile': 0.75
} -%}

with

songs as (
    select * from {{ ref('songs') }}
),

-- quantile_cont would keep every value in memory; counts per value take little.
value_counts as (
    {% for column in var('audio_columns') -%}
        select
            '{{ column }}' as column_name,
            {{ column }} as audio_value,
            count(*) as song_count
        from songs
        where genre is not null and {{ column }} is not null
        group by {{ column }}
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

running_counts as (
    select
        column_name,
        audio_value,
        sum(song_count) over (
            partition by column_name order by audio_value
        ) as running_count,
        cast(
            sum(song_count) over (partition by column_name) - 1 as double
        ) as last_place
    from value_counts
),

-- The positions of the quartiles among the sorted values, from 0.
places as (
    select
        column_name,
        audio_value,
        running_count,
        {% for name, share in shares.items() -%}
            {{ share }} * last_place as {{ name }}_place
            {%- if not loop.last %},
            {% endif -%}
        {% endfor %}
    from running_counts
),

-- The values around each position, and its distance from the lower one.
neighbors as (
    select
        column_name,
        {% for name in shares -%}
            min(
                case
                    when running_count > floor({{ name }}_place)
                        then audio_value
                end
            ) as {{ name }}_below,
            min(
                case
                    when running_count > ceil({{ name }}_place)
                        then audio_value
                end
            ) as {{ name }}_above,
            max({{ name }}_place - floor({{ name }}_place)) as {{ name }}_beyond
            {%- if not loop.last %},
            {% endif -%}
        {% endfor %}
    from places
    group by column_name
),

quartiles as (
    select
        column_name,
        {% for name in shares -%}
            {{ name }}_below * (1 - {{ name }}_beyond)
            + {{ name }}_above * {{ name }}_beyond as {{ name }}
            {%- if not loop.last %},
            {% endif -%}
        {% endfor %}
    from neighbors
),

moments as (
    {% for column in var('audio_columns') -%}
        select
            '{{ column }}' as column_name,
            count({{ column }}) as value_count,
            avg({{ column }}) as mean,
            stddev_samp({{ column }}) as standard_deviation,
            min({{ column }}) as minimum,
            max({{ column }}) as maximum
        from songs
        where genre is not null
        {% if not loop.last -%}
            union all
        {% endif -%}
    {% endfor %}
),

final as (
    select
        moments.column_name,
        moments.value_count,
        moments.mean,
        moments.standard_deviation,
        moments.minimum,
        quartiles.lower_quartile,
        quartiles.median,
        quartiles.upper_quartile,
        moments.maximum
    from moments
    left join quartiles on moments.column_name = quartiles.column_name
)

select * from final
