{# A text without outer and repeated white space; null where nothing is left. #}
{% macro tidy(column) -%}
    nullif(trim(regexp_replace({{ column }}, '\s+', ' ', 'g')), '')
{%- endmacro %}
