def model(dbt, session):
    names = session.sql("select 'a' as x, 1::tinyint as n union all select 'b', 2 order by all")
    here = dbt.this
    return session.sql(f"select *, '{here.schema}' as place, '{here.identifier}' as own from names")
