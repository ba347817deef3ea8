-- At least a quarter of the genres.
select
    min(genre) filter (where song_count = 1) as subject,
    min(genre) filter (where song_count = 1) as genre,
    count_if(song_count = 1) as single,
    count(*) as genres
from genres
having count_if(song_count = 1) >= 0.25 * count(*)
