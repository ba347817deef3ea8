--- models/b.sql
{{ config(materialized='table', tags=['x']) }} select {{ var('v', 1) }} from {{ ref('a') }}
