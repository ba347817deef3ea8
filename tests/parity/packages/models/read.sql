select count(*) as items from {{ source('shelf', 'goods') }}
