-- A macro of a package, one that the project replaces, and one that dbt has.
select
    id,
    {{ toolbox.cents('price') }} as cents,
    {{ toolbox.label('id') }} as label,
    {{ toolbox.twice(toolbox.twice('id')) }} as four_times,
    '{{ helper() }}' as helped,
    {{ dbt.concat(['id', "'x'"]) }} as joined
from {{ ref('items') }}
