{{ config(severity='warn') }}

-- Genres that neither genre_groups nor genre_keywords knows; add them to data/seeds/genre_groups.csv.
select
    genre,
    song_count
from {{ ref('genres') }}
where genre_group_basis = 'none'
