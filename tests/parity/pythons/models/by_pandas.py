import pandas as pd


def doubled(frame):
    return frame.assign(twice=frame["bpm"] * 2)


def model(dbt, session):
    dbt.config(materialized="table")
    frame = doubled(dbt.ref("by_relation").df())
    frame["made"] = pd.Timestamp("2020-01-01")
    frame["config"] = dbt.config.get("materialized")
    return frame
