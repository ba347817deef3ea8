select * from {{ ref('half', v=1.5) }} union all select * from {{ ref('half', v='beta') }}
