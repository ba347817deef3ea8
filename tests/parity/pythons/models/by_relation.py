def model(dbt, session):
    dbt.config(alias="with_bpm", tags=["py"])
    songs = dbt.ref("songs")
    return songs.filter("bpm is not null").order("id")
