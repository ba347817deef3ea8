select * from {{ source('elsewhere', 'people') }} union all select * from {{ source('store', 'people') }}
