select x from {{ ref('good') }}
