select id, 'x' as "the kind", {'a': 1} as parts, [id] as many from {{ ref('teams') }}
