{% macro cents_to_euros(column, digits=2) -%}
    round({{ column }} / 100.0, {{ digits }})
{%- endmacro %}

{% macro log_run(event) %}
    {% if execute %}
        {% do run_query("insert into run_log values ('" ~ _quoted(event) ~ "')") %}
    {% endif %}
    select 1
{% endmacro %}

{% macro _quoted(text) %}{{ return(text | replace("'", "''")) }}{% endmacro %}
