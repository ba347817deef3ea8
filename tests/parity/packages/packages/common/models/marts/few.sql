{{ config(materialized='view', tags=['few']) }}

select
    *,
    '{{ var('unit') }}' as unit,
    '{{ var('currency') }}' as currency,
    '{{ helper() }}' as helped,
    '{{ model.package_name }}' as package,
    '{{ project_name }}' as project
from {{ ref('items') }}
limit {{ var('most') }}
