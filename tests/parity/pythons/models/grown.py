def model(dbt, session):
    dbt.config(materialized="incremental", unique_key="id", incremental_strategy="delete+insert")
    songs = dbt.ref("songs")
    if dbt.is_incremental:
        return songs.filter("id > 3").project("id, name || '!' as name")
    return songs.filter("id < 5").project("id, name")
