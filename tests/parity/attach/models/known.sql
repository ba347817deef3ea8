-- depends_on: {{ ref('people') }}
{% set there = adapter.get_relation('elsewhere', 'main', 'people') %}
{% set here = adapter.get_relation(target.database, 'main', 'items') %}
{% set columns = adapter.get_columns_in_relation(source('store', 'grown')) %}
{{ config(materialized='table') }}
select '{{ there }}' as there, {{ here is none }} as lacks_items, {% for column in columns %}'{{ column.name }}' as seen,{% endfor %} (select count(*) from {{ source('own', 'people') }}) as own
