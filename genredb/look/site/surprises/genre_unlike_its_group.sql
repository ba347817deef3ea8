-- At least 0.6 standard deviations, so that it can be heard.
with

profiles as (
    select
        genre_profiles.genre,
        genres.genre_group,
        genres.is_common,
        genre_profiles.column_name,
        genre_profiles.mean / nullif(columns_of_all.standard_deviation, 0)
            as mean,
        genre_profiles.value_count
    from genre_profiles
    inner join genres on genre_profiles.genre = genres.genre
    inner join numeric_summary as columns_of_all
        on genre_profiles.column_name = columns_of_all.column_name
    where genre_profiles.mean is not null
),

group_profiles as (
    select
        genre_group,
        column_name,
        sum(mean * value_count) / sum(value_count) as mean
    from profiles
    group by genre_group, column_name
),

differences as (
    select
        profiles.genre,
        profiles.genre_group,
        profiles.column_name,
        profiles.mean - group_profiles.mean as difference
    from profiles
    inner join group_profiles
        on
            profiles.genre_group = group_profiles.genre_group
            and profiles.column_name = group_profiles.column_name
    where profiles.is_common
)

select
    genre as subject,
    genre,
    genre_group,
    sqrt(avg(pow(difference, 2))) as distance,
    arg_max(column_name, abs(difference)) as column_name,
    arg_max(difference, abs(difference)) as difference
from differences
group by genre, genre_group
having sqrt(avg(pow(difference, 2))) >= 0.6
order by distance desc, genre asc
limit 1
