select
    id as customer_id,
    name as customer_name,
    country as country_code,
    joined,
    coalesce(is_member, false) as is_member
from {{ ref('customers') }}
