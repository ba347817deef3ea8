{#
    The genres of the nearest labelled songs: a query of one row per song that
    is asked for and genre, with the number of its nearest songs that have it.

    labelled:  a relation of song_key, genre and the columns
    asked:     a relation of song_key and the columns
    columns:   numeric columns; a missing value counts as the labelled songs'
               median, a difference in their standard deviations
    neighbors: how many songs are asked; of equally near ones the first keys
#}
{% macro nearest_genres(labelled, asked, columns, neighbors=30) -%}
    with

    medians as (
        select
            {% for column in columns %}
                coalesce(median({{ column }}), 0) as {{ column }}_median,
            {% endfor %}
            count(*) as song_count
        from {{ labelled }}
    ),

    labelled_songs as (
        select
            {% for column in columns %}
                coalesce({{ column }}, {{ column }}_median) as {{ column }},
            {% endfor %}
            song_key,
            genre
        from {{ labelled }}
        cross join medians
    ),

    asked_songs as (
        select
            {% for column in columns %}
                coalesce({{ column }}, {{ column }}_median) as {{ column }},
            {% endfor %}
            song_key
        from {{ asked }}
        cross join medians
    ),

    deviations as (
        select
            {% for column in columns %}
                coalesce(nullif(stddev_pop({{ column }}), 0), 1) as {{ column }},
            {% endfor %}
            count(*) as song_count
        from labelled_songs
    ),

    distances as (
        select
            asked_songs.song_key,
            labelled_songs.song_key as labelled_key,
            labelled_songs.genre,
            0.0
            {% for column in columns %}
                + pow(
                    (asked_songs.{{ column }} - labelled_songs.{{ column }})
                    / deviations.{{ column }},
                    2
                )
            {% endfor %}
            as squared_distance
        from asked_songs
        cross join labelled_songs
        cross join deviations
    ),

    places as (
        select
            song_key,
            genre,
            row_number() over (
                partition by song_key
                order by squared_distance asc, labelled_key asc
            ) as place
        from distances
    )

    select
        song_key,
        genre,
        count(*) as neighbor_count
    from places
    where place <= {{ neighbors }}
    group by song_key, genre
{%- endmacro %}
