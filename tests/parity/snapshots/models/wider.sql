-- From day 2 on with a further column.
select id, name, city{{ ", upper(name) as loud" if var('day') > 1 }}, changed_at from {{ ref('people') }}
