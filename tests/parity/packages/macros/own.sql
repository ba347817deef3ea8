{% macro default__label(column) %}'store ' || {{ column }}{% endmacro %}

{% macro helper() %}of the store{% endmacro %}

{% test is_even(model, column_name) %}
select * from {{ model }} where {{ column_name }} % 2 = 1
{% endtest %}
