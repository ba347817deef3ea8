select x from {{ ref('bad') }}
