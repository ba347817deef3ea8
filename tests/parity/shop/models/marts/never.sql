{{ config(enabled=false) }}
select nothing from nowhere
