-- depends_on: {{ ref('paints') }}
{% call statement('largest', fetch_result=True) -%}
    select max(grams), count(*) from {{ ref('paints') }}
{%- endcall -%}
{%- set largest = load_result('largest') -%}
{%- if execute -%}
    {%- set data = largest['data'][0] -%}
{%- else -%}
    {%- set data = [0, 0] -%}
{%- endif -%}
select {{ data[0] }} as largest, {{ data[1] }} as paints, '{{ this.identifier }}' as own_name
