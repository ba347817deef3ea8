-- accepted_values_a_x__a__it_s (error)
select
    x as value_field,
    count(*) as n_records
from "small"."main"."a"
where x not in ('a', 'it''s')
group by x

-- not_null_a_x (error)
select *
from (select * from "small"."main"."a" where x > 1) dbt_subquery
where x is null

-- nothing_odd (warn)
select * from "small"."main"."a" where x = 9

-- relationships_a_x__y__ref_b_ (warn)
select child.x as from_field
from "small"."main"."a" as child
left join "small"."main"."b" as parent on child.x = parent.y
where child.x is not null and parent.y is null

-- unique_a_x (error)
select
    x as unique_field,
    count(*) as n_records
from "small"."main"."a"
where x is not null
group by x
having count(*) > 1
