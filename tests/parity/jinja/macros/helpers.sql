{% macro colours() %}
    {% set found = run_query("select distinct colour from " ~ ref('paints') ~ " order by 1") %}
    {% if execute %}
        {{ return(found.columns[0].values()) }}
    {% else %}
        {{ return([]) }}
    {% endif %}
{% endmacro %}

{% macro shout(text) %}{{ return(adapter.dispatch('shout', 'jinjas')(text)) }}{% endmacro %}
{% macro default__shout(text) %}'{{ text | upper }}?'{% endmacro %}
{% macro duckdb__shout(text) %}'{{ text | upper }}!'{% endmacro %}

{% macro wrapped(name) %}{{ name }}: <{{ caller() | trim }}>{% endmacro %}

{% macro many() %}{{ varargs | join('-') }}{{ kwargs.last }}{% endmacro %}
