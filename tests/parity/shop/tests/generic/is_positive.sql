{% test is_positive(model, column_name) %}
    {{ config(severity='warn') }}
    select * from {{ model }} where {{ column_name }} <= 0
{% endtest %}

{% test is_below(model, column_name, maximum) %}
    select {{ column_name }} from {{ model }} where {{ column_name }} >= {{ maximum }}
{% endtest %}
