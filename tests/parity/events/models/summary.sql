{{ config(materialized='table') }}
with

appended as (select * from {{ ref('appended') }}),

loud as (select loud from {{ ref('worded') }})

select user_id, count(*) as row_count, (select count(distinct loud) from loud) as words
from appended
group by user_id
