{# How many labelled songs make a genre common: the variable, if it can be. #}
{% macro min_genre_songs() -%}
    {%- set fewest = var('min_genre_songs') -%}
    {%- if fewest is not integer or fewest is boolean or fewest < 1 -%}
        {{ exceptions.raise_compiler_error(
            "min_genre_songs should be a whole number from 1, not " ~ fewest
        ) }}
    {%- endif -%}
    {{ fewest }}
{%- endmacro %}
