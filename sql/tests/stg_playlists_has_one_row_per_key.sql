-- The key of stg_playlists is (file_stem, id).
select
    file_stem,
    id
from {{ ref('stg_playlists') }}
group by file_stem, id
having count(*) > 1
