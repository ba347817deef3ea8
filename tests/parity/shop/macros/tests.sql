{% test row_count_matches(model, other) %}
    with counts as (
        select (select count(*) from {{ model }}) as here, (select count(*) from {{ other }}) as there
    )
    select * from counts where here <> there
{% endtest %}
