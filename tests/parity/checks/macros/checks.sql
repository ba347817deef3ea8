{% test no_column_is_null(model) %}
{% set columns = adapter.get_columns_in_relation(model) %}
{% set found = adapter.get_column_schema_from_query("select * from " ~ model) %}
{% if found | length != columns | length %}
  {{ exceptions.raise_compiler_error("the adapter does not know " ~ model) }}
{% endif %}
select *
from {{ model }}
where false {% for column in columns %} or {{ column.quoted }} is null {% endfor %}
{% endtest %}
