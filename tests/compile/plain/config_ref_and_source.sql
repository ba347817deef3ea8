--- models/b.sql
{{ config(materialized='table', alias = 'other') }}

select 1 from {{ref('a')}} join {{ source('s', 't') }}


