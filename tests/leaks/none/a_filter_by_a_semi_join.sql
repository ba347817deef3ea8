--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, songs.pop as x
from {{ ref('songs') }} as songs
semi join (select genre from {{ ref('songs') }} group by genre having count(*) > 2) as common on songs.genre = common.genre
where songs.genre is not null
