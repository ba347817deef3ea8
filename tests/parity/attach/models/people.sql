{{ config(materialized='table') }} select 9 as id, 'own' as name
