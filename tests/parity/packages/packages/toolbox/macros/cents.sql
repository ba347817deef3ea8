{% macro cents(column) %}
    {{ return(adapter.dispatch('cents', 'toolbox')(column)) }}
{% endmacro %}

{% macro default__cents(column) %}round({{ column }} * 100){% endmacro %}

{% macro duckdb__cents(column) %}(({{ column }}) * 100)::int{% endmacro %}

{% macro label(column) %}{{ adapter.dispatch('label', 'toolbox')(column) }}{% endmacro %}

{% macro default__label(column) %}'toolbox ' || {{ column }}{% endmacro %}

{% macro twice(expression) %}{{ toolbox.times(expression, 2) }}{% endmacro %}

{% macro times(expression, factor) %}(({{ expression }}) * {{ factor }}){% endmacro %}
