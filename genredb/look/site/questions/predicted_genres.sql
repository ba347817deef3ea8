-- How often is each genre predicted, and what share of labelled songs has it?
with

predicted as (
    select
        genre,
        count(*) as songs,
        sum(count(*)) over () as all_songs
    from predictions
    where genre is not null
    group by genre
)

select
    predicted.genre,
    predicted.songs as predicted,
    round(100 * predicted.songs / predicted.all_songs, 1)
        as percent_of_predictions,
    round(100 * genres.song_share, 1) as percent_of_labelled
from predicted
left join genres on predicted.genre = genres.genre
order by predicted.songs desc, predicted.genre asc
limit 15
