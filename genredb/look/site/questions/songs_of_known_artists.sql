-- For how many songs without a genre is the artist known from other songs?
select
    songs.source,
    count(*) as songs,
    count_if(artists.labelled_song_count > 0) as with_known_artist,
    round(100.0 * count_if(artists.labelled_song_count > 0) / count(*), 1)
        as percent
from songs
left join artists on songs.artist_key = artists.artist_key
where songs.genre is null
group by songs.source
order by songs.source
