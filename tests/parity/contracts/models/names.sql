select name, id from {{ ref('teams') }}
