{{ config(materialized='ephemeral') }}
select *, upper(word) as loud from {{ ref('recent') }}
