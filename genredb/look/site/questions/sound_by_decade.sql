-- How did the sound change from decade to decade?
select
    year // 10 * 10 as decade,
    count(*) as songs,
    round(avg(nrgy), 1) as nrgy,
    round(avg(dnce), 1) as dnce,
    round(avg(db), 1) as db,
    round(avg(acous), 1) as acous,
    round(avg(dur), 0)::integer as seconds
from songs
where year is not null
group by decade
order by decade
