with

stg_songs as (
    select * from {{ ref('stg_songs') }}
),

genre_groups as (
    select * from {{ ref('genre_groups') }}
),

genre_keywords as (
    select * from {{ ref('genre_keywords') }}
),

genres as (
    select distinct
        genre,
        -- Split into words: "hip-hop" has the same words as "hip hop".
        ' ' || regexp_replace(genre, '[-/ ]+', ' ', 'g') || ' ' as genre_words
    from stg_songs
    where genre is not null
),

keywords as (
    select
        genre_group,
        ' ' || regexp_replace(keyword, '[-/ ]+', ' ', 'g') || ' '
            as keyword_words
    from genre_keywords
),

mapped as (
    select
        genres.genre,
        genres.genre_words,
        genre_groups.genre_group
    from genres
    left join genre_groups on genres.genre = genre_groups.genre
),

keyword_matches as (
    select
        mapped.genre,
        keywords.genre_group,
        -- Of several keywords the last one decides: "folk rock" is rock.
        row_number() over (
            partition by mapped.genre
            order by
                instr(
                    reverse(mapped.genre_words),
                    reverse(keywords.keyword_words)
                ) asc,
                length(keywords.keyword_words) desc
        ) as place
    from mapped
    inner join keywords
        on contains(mapped.genre_words, keywords.keyword_words)
    where mapped.genre_group is null
),

final as (
    select
        mapped.genre,
        coalesce(
            mapped.genre_group, keyword_matches.genre_group, 'world & other'
        ) as genre_group,
        case
            when mapped.genre_group is not null then 'mapping'
            when keyword_matches.genre_group is not null then 'keyword'
            else 'none'
        end as genre_group_basis
    from mapped
    left join keyword_matches
        on mapped.genre = keyword_matches.genre and keyword_matches.place = 1
)

select * from final
