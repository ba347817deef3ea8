{% macro helper() %}of common{% endmacro %}

{% test is_small(model, column_name) %}
select * from {{ model }} where {{ column_name }} > {{ var('most') }}
{% endtest %}
