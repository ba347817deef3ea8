--- models/labelled.sql
select columns('song_key|genre') from {{ ref('songs') }}
--- models/train.sql
select songs.song_key, labelled.genre, songs.bpm, length(songs.genre) as x
from {{ ref('songs') }} as songs
inner join {{ ref('labelled') }} as labelled on songs.song_key = labelled.song_key
--- models/l.yml
models: [{name: labelled, columns: [{name: song_key}, {name: genre}]}]
--- message
cannot rule out
