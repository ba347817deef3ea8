{% test unique_rows(model, column) %} select {{ column }} from {{ model }} group by 1 having count(*) > 1 {% endtest %}
