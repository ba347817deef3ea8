select x from {{ ref('wrong') }}
