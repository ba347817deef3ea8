select good.x from {{ ref('good') }} as good inner join {{ ref('other') }} as other on good.x = other.x
