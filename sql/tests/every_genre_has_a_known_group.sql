{{ config(severity='warn') }}

-- Genres that neither genre_groups nor genre_keywords knows. They count as
-- world & other until data/seeds/genre_groups.csv names their group.
select
    genre,
    song_count
from {{ ref('genres') }}
where genre_group_basis = 'none'
