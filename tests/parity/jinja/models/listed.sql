select
    {{ dbt.listagg('colour', "', '", 'order by colour') }} as colours,
    {{ dbt.bool_or('grams > 10') }} as has_heavy,
    {{ dbt.any_value('1') }} as one
from {{ ref('paints') }}
{{ dbt.except() }}
select 'x', true, 1
