"""What is not known to run on Spark as on DuckDB is refused by name, all of a query at once; no Spark needed."""

import pytest

from genredb.spark.dialect import RefusedError, to_spark
from genredb.spark.registry import ALLOWED

SCHEMA = {
    "main": {
        "t": {
            "i": "INTEGER",
            "b": "BIGINT",
            "h": "HUGEINT",
            "o": "BOOLEAN",
            "w": "DECIMAL(38, 30)",
            "d": "DOUBLE",
            "x": "VARCHAR",
            "y": "DATE",
            "l": "INTEGER[]",
            "r": "FLOAT",
        }
    }
}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("try_cast(x as integer)", "TRY_CAST"),
        ("d::integer", "CAST of type double to INT"),
        ("d::varchar", "CAST of type double to TEXT"),
        ("quantile_cont(d, 0.5)", "percentile_cont"),
        ("i // 2", "//"),
        ("i % 2", "%"),
        ("log(d)", "log"),
        ("upper(x)", "upper()"),
        ("x ilike 'a'", "ilike"),
        ("x = i", "= between types integer, text"),
        ("1.0 / 3", "/ between types decimal, integer"),
        ("strftime(y, '%Y')", "time_to_str"),
        ("dayofweek(y)", "day_of_week"),
        ("list(i)", "list() without `order by`"),
        ("list(x order by l)", "list() ordered between types"),
        ("regexp_matches(x, x)", "with a pattern that is not a constant"),
        (r"regexp_matches(x, '(?i)a')", "with a pattern (?i"),
        ("regexp_replace(x, 'a*', '', 'g')", "that matches an empty text"),
        (r"regexp_replace(x, 'a?\b', '', 'g')", "that matches an empty text"),
        (r"regexp_replace(x, ' *\b', '', 'g')", "that matches an empty text"),
        (r"regexp_replace(x, '\b', '', 'g')", "that matches an empty text"),
        ("regexp_extract(x, '(a*)*', 1)", "that repeats what may be empty"),
        (r"regexp_matches(x, 'x(a|(?:b|\b)?){2}')", "that repeats what may be empty"),
        ("array_to_string(string_split(x, ','), x)", "with a separator that is not a constant"),
        ("array_to_string(string_split(x, ','), null)", "with a separator that is not a constant"),
        ("array_to_string([d, 1e20], ',')", "of anything but a list of texts"),
        ("i in (select i from t)", "IN a query that is not a condition of WHERE by itself"),
        ("trim(x, 'ab')", "trim() of given characters"),
        ("trim(x, null)", "trim() of given characters"),
        ("ltrim(x, 'ab')", "trim() with position"),
        ("rtrim(x)", "trim() with position"),
        ("format('{:02X}', i, i)", "format() with any format but"),
        ("format('{:02X}', d)", "format() of type double"),
        ("pow(i, d)", "power() with an exponent that may be NaN"),
        ("h > 0.5", "> between types decimal, hugeint"),
        ("i - h = 0.5", "= between types decimal, hugeint"),
        ("sum(h) > 0.5", "> between types decimal, hugeint"),
        ("coalesce(i, h) in (1, 0.5)", "IN between types decimal, hugeint"),
        ("h between 0.5 and 1", "BETWEEN between types decimal, hugeint"),
        ("coalesce(h, 0.5)", "coalesce() between types decimal, hugeint"),
        ("case when i > 0 then h else 0.5 end", "CASE between types decimal, hugeint"),
        ("1.5 < 9223372036854775808", "< between types decimal, hugeint"),
        ("round(d)::hugeint", "CAST of type double to INT128"),
        ("(h / 3)::integer", "CAST of type double to INT"),
        ("regexp_extract(x, '(a)', null)", "whose group is not a constant number"),
        ("regexp_extract(x, '(a)', i)", "whose group is not a constant number"),
        ("regexp_extract(x, '(a)', -1)", "whose group is not a constant number"),
        ("regexp_extract(x, '(a)', ['y'])", "whose group is not a constant number"),
        (r"regexp_extract(x, '(a)\((?:b)[(]', 2)", "that has no group 2"),
        (r"regexp_replace(x, '(a)', '\2')", "that has no group 2"),
        ("regexp_matches(x, 'b{1001}')", "that repeats more than 1000 times"),
        ("regexp_matches(x, 'b{1,1001}')", "that repeats more than 1000 times"),
        (r"regexp_extract(x, '\x{D800}')", r"\x{D800}"),
        (r"regexp_matches(x, '[\x{110000}]')", r"\x{110000}"),
        (r"regexp_replace(x, '^*', '', 'g')", "with a pattern that cannot be read"),
        ("regexp_replace(x, '(', '', 'g')", "with a pattern that cannot be read"),
        ("list_transform(l, lambda one, place: place)", "LAMBDA with an index"),
        ("row_number() over (order by l)", "by type list"),
        ("row_number() over (order by i, {'a': i} desc)", "by type struct"),
        ("l[1]", "[] with an index"),
        ("left(x, i)", "left() with a length that is not a constant"),
        ("r", ""),
        ("no_such_function(x)", "no_such_function()"),
        ("random()", "rand()"),
        ("unnest(l), unnest(l)", "with more than one unnest"),
        ("unnest(l), row_number() over (order by i)", "with a window beside unnest"),
        ("hash(x)", "hash()"),
        ("max(r)", "max() of type unknown"),
        ("date '2024'", "CAST of type text to DATE"),
        ("date '2024-02'", "CAST of type text to DATE"),
        ("date '2024-02-30'", "CAST of type text to DATE"),
        ("date '2024-01-01 junk'", "CAST of type text to DATE"),
        ("'2024-01-01T'::date", "CAST of type text to DATE"),
        ("date '+2024-01-01'", "CAST of type text to DATE"),
        ("'today'::date", "CAST of type text to DATE"),
        ("'2024-01-01'::timestamp", "CAST of type text to TIMESTAMP"),
        ("timestamp '2024'", "CAST of type text to TIMESTAMP"),
        ("i = 1.0000000000000000000000000000000001", "LITERAL of more than 18 decimal places"),
        ("i = 123456789012345678901234567890123456789", "LITERAL of more than 38 digits"),
        ("1e400", "LITERAL that no double holds"),
        ("i = w", "= between decimals and integers that have more than 38 digits together"),
        ("w > 12345678901.5", "> between decimals and integers that have more than 38 digits together"),
        ("avg(b) over (order by i)", "avg() with OVER"),
        ("avg(b) filter (where i > 0)", "avg() with FILTER"),
        ("sum(i) over (order by i rows between -1 preceding and current row)", "constant from 0"),
        ("sum(i) over (order by i rows between i preceding and current row)", "constant from 0"),
        ("(1, 2)", "TUPLE outside arg_max() and arg_min()"),
        ("d, 1 as a, 2 as a, x", "a second column of the name a"),
        ('1 as "É", 2 as "é", x', "a second column of the name é"),
        ("i + 1, i + 1, x", "a second column of the name"),
        ("not i", "NOT of type integer"),
        ("case when i then 1 end", "IF with a condition of type integer"),
        ("if(i, 1, 2)", "IF with a condition of type integer"),
        ("if(o, 1, 'a')", "IF between types integer, text"),
        ("count(*) filter (where i)", "WHERE with a condition of type integer"),
        ("corr(d, i) filter (where o)", "corr() with FILTER"),
        ("corr(d, i) over ()", "corr() with OVER"),
        ("list(x order by i) filter (where o)", "list() with FILTER"),
        ("list(x order by i) over ()", "list() with OVER"),
        ("arg_max(x, i) filter (where o)", "arg_max() with FILTER"),
        ("median(d) over (order by i)", "median() with OVER"),
        ("sum(d) filter (where o) over (order by i)", "WINDOW of an aggregate with FILTER"),
        ("list(distinct x order by x)", "DISTINCT values of an aggregate other than count()"),
        ("avg(distinct i)", "DISTINCT values of an aggregate other than count()"),
        ("row_number() over ()", "WINDOW that numbers or picks rows without ORDER BY"),
        ("count(t.*)", "count() of a relation; write count(*)"),
        ("count()", "count() without an argument; write count(*)"),
        ("unnest(l) + 1", "unnest() within an expression"),
        ("unnest(l, recursive := true)", "unnest() with options"),
        ("{'a b': i}", "STRUCT() with the name 'a b'"),
        ("user", "user, which is no column of a relation"),
        ("row_number() over (order by rowid)", "rowid, which is no column of a relation"),
    ],
)
def test_a_construct_is_refused_by_name(expression: str, reason: str) -> None:
    if not reason:
        assert to_spark(f"select {expression} as z from t", SCHEMA)
        return
    with pytest.raises(RefusedError) as raised:
        to_spark(f"select {expression} as z from t", SCHEMA)
    assert reason.lower() in str(raised.value).lower()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select i from t qualify row_number() over () = 1", "SELECT with qualify"),
        ("select distinct on (i) i, d from t", "ON"),
        ("select count(*) as n from t group by ()", "GROUP by ()"),
        ("select count(distinct i) over (partition by d) as n from t", "WINDOW of distinct values"),
        ("select i from t using sample 10", "sample"),
        ("create table u as select 1", "a statement that is not a single query"),
        ("select i from t order by l limit 1", "by type list"),
        (
            "select i from t full join t as u using (i) left join t as v using (i)",
            "JOIN with USING after a RIGHT or FULL join",
        ),
        (
            "select i from t right join t as u on true join t as v using (i)",
            "JOIN with USING after a RIGHT or FULL join",
        ),
        ("select i from t asof join t as u on t.i >= u.i", "asof"),
        ("select -i as i from t order by i + 0", "ORDER BY an expression of i, a column and an alias"),
        ("select distinct -i as i from t order by (-i)", "ORDER BY an expression of i"),
        (
            "select x as i, count(*) as c from t group by x, i order by -c, (coalesce(i, 1))",
            "ORDER BY an exp",
        ),
        ("with q as (select i from t) select -i as i from q order by -i", "ORDER BY an expression of i"),
        ("select d from (select d, -i as i from t order by i * 2 limit 1)", "ORDER BY an expression of i"),
        ("select d from t where d > 0 or i not in (select i from t)", "IN a query"),
        ("select count(*) filter (where i in (select i from t)) as n from t", "IN a query"),
        ("select h from t union all select 0.5", "UNION between types decimal, hugeint"),
        ("from t pivot (sum(i) for x in ('a'))", "pivot"),
        ("select * from (select 1 as a, 2 as A)", "a second column of the name a"),
        ("select * from t join (select i from t) as u on t.i = u.i", "a second column of the name i"),
        ("select i from t where i", "WHERE with a condition of type integer"),
        ("select i from t where null", "WHERE with a condition of type null"),
        ("select i from t group by i having i", "HAVING with a condition of type integer"),
        ("select t.i from t join t as u on t.i", "JOIN with a condition of type integer"),
        ("select t.i from t join t as u on null", "JOIN with a condition of type null"),
        (
            "select (select max(u.i) + t.i from t as u) as z from t",
            "a subquery that reads i of the query around",
        ),
        (
            "select x, (select max(u.i) from t as u where u.x = t.x) as z from t group by x",
            "a subquery that reads x of the query around",
        ),
        (
            "select unnest(l) as z from t order by row_number() over (order by i)",
            "SELECT with a window beside unnest",
        ),
        ("select i from t limit null", "LIMIT that is not a constant"),
        ("select i from t limit (select 2)", "LIMIT that is not a constant"),
        ("select i from t where user = 'a'", "user, which is no column of a relation"),
        ("select i from t order by rowid", "rowid, which is no column of a relation"),
        ("select list(x order by i, rowid) as z from t", "rowid, which is no column of a relation"),
    ],
)
def test_a_clause_is_refused_by_name(query: str, reason: str) -> None:
    with pytest.raises(RefusedError) as raised:
        to_spark(query, SCHEMA)
    assert reason.lower() in str(raised.value).lower()


@pytest.mark.parametrize(
    "query",
    [
        "select -i as i from t order by i, (i)",
        "select i, d from t order by i + 0",
        "select i, count(*) as n from t group by i order by -n",
        "select -i as i from t order by t.i",
        "select (select max(u.i) from t as u where u.i < t.i) as z from t where exists (select t.i from t as u)",
        "select i from t where i > (select avg(u.i) from t as u where u.x = t.x) group by i",
        "select i from t where (x in ('a') or x like 'a' or i between 1 and 2) and not x is null and o",
        "select i from t where regexp_matches(x, 'a') or regexp_full_match(x, 'a') or contains(x, 'a')",
        "select i from t where exists (select 1 from t as u where u.i = t.i) or coalesce(o, false)",
        "select i from t where (i is not distinct from 1) and case when o then true else false end",
        "select t.i from t join (select max(o) as o, i from t group by i) as u on u.o group by t.i having max(t.o)",
        "select i as user from t order by user",
        "select i = 1.000000000000000001 as a, w > 1.5 as y, b = 12345678901234567890.5 as c from t",
        "select avg(i) over (order by i rows between 1 preceding and 0 following) as z from t",
        "select i as a from t union select i from t order by a",
        "select i as a, sum(d) as z from t where a > 0 group by a having z > 1 order by a, -z",
        "select sum(i) > 0.5 as z from t",
        "select i from t where d > 0 and (not (i in (select i from t)) and x in (select x from t))",
        r"select regexp_extract(x, '((a)|b)*(?:(c*)d)+(e*)?', 2) as z from t",
        r"select regexp_replace(x, '\ba?b\b', '', 'g') as z from t",
    ],
)
def test_what_is_near_a_refusal_is_allowed(query: str) -> None:
    assert to_spark(query, SCHEMA)


def test_all_reasons_are_given_with_their_places() -> None:
    sql = "select upper(x) as a, i // 2 as b from t"
    with pytest.raises(RefusedError) as raised:
        to_spark(sql, SCHEMA)
    found = {one.what: one.offset for one in raised.value.refusals}
    assert found == {"upper()": sql.index("upper"), "//": sql.index("i // 2")}


def test_every_entry_of_the_allow_list_has_a_probe() -> None:
    assert [kind.__name__ for kind, entry in ALLOWED.items() if not entry.probes] == []
