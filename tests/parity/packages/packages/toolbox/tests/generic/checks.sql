{% test is_positive(model, column_name) %}
select * from {{ model }} where not {{ column_name }} > 0
{% endtest %}

{% test is_below(model, column_name, most) %}
{{ config(severity='warn') }}
select * from {{ model }} where {{ column_name }} >= {{ most }}
{% endtest %}

{% test has_rows(model) %}
select 1 as missing where not exists (from {{ model }})
{% endtest %}
