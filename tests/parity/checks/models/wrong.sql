select x, error('no') as y from {{ ref('good') }} where x > 0
