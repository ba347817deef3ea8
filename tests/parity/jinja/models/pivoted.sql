-- depends_on: {{ ref('paints') }}
{{ config(materialized='table', alias='pivot_of_paints') }}
select
    {% for colour in colours() -%}
    sum(grams) filter (where colour = '{{ colour }}') as {{ colour }}_grams{{ ", " if not loop.last }}
    {% endfor %}
from {{ ref('paints') }}
