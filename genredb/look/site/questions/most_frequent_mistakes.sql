-- Which genres does the default classifier mistake for which?
select
    actual,
    predicted,
    round(songs, 1) as songs
from ml.confusion
where
    classifier = 'artist_vote'
    and protocol = 'cv'
    and label = 'genre'
    and actual <> predicted
order by songs desc, actual asc, predicted asc
limit 15
