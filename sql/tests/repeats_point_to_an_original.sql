-- duplicate_of names the first of equal songs, which is itself not a duplicate.
select
    repeats.song_key,
    repeats.duplicate_of
from {{ ref('songs') }} as repeats
left join {{ ref('songs') }} as originals
    on repeats.duplicate_of = originals.song_key
where
    repeats.duplicate_of is not null
    and (originals.song_key is null or originals.duplicate_of is not null)
