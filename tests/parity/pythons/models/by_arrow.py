def model(dbt, session):
    return dbt.ref("songs").to_arrow_table().select(["id", "name"])
