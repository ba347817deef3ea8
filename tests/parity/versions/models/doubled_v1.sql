select plays * 2 as twice from {{ ref('songs', v=2) }}
