{% test no_column_is_null(model) %}
{% set columns = adapter.get_columns_in_relation(model) %}
select *
from {{ model }}
where false {% for column in columns %} or {{ column.quoted }} is null {% endfor %}
{% endtest %}
