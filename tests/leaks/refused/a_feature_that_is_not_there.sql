--- models/train.sql
select songs.song_key, songs.genre, songs.bpm, songs.pop as y, 1 as x
from {{ ref('songs') }} as songs
where songs.genre is not null
--- models/train.yml
models:
  - name: train
    config: {meta: {row_filter: label}}
    columns:
      - {name: song_key, config: {meta: {role: id}}}
      - {name: genre, config: {meta: {role: label}}}
      - {name: bpm, config: {meta: {role: feature}}}
      - {name: gone, config: {meta: {role: feature}}}
--- message
it has no column gone
