--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, names.name as x from {{ ref('songs') }} as songs , unnest(['rock', 'pop', 'disco']) as names (name)
where songs.genre is not null and names.name = songs.genre
