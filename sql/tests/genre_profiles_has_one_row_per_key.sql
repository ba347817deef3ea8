-- The key of genre_profiles is (genre, column_name).
select
    genre,
    column_name
from {{ ref('genre_profiles') }}
group by genre, column_name
having count(*) > 1
