{{ config(materialized='table') }}
{% set relation = adapter.get_relation(database=target.database, schema=ref('paints').schema, identifier='paints_seed') %}
{% set missing = adapter.get_relation(this.database, this.schema, 'no_such_thing') %}
{% set rows = [] %}
{% if execute %}
{% for column in adapter.get_columns_in_relation(ref('paints')) %}
    {% do rows.append("select '" ~ column.name ~ "' as column_name, " ~ (column.is_number() | string | lower) ~ " as is_number") %}
{% endfor %}
{% endif %}
select *, {{ (relation is not none) | string | lower }} as is_there, {{ (missing is none) | string | lower }} as is_missing
from ({{ rows | join(' union all ') if rows else "select '' as column_name, false as is_number" }}) as listed
