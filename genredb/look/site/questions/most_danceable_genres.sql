-- Which common genres are the most danceable, and how do they sound otherwise?
select
    genre,
    count(*) as songs,
    round(avg(dnce), 1) as dnce,
    round(avg(nrgy), 1) as nrgy,
    round(avg(val), 1) as val,
    round(avg(acous), 1) as acous
from songs
where genre is not null
group by genre
having count(*) >= 5
order by dnce desc, genre asc
limit 15
