select 'latest' as which, title from {{ ref('songs') }}
union all
select 'first', title from {{ ref('songs', v=1) }}
union all
select 'next', title from {{ ref('versions', 'songs', version='3') }}
