"""A macro may have a version for Spark: SQL that it is known to run as DuckDB does."""

from dataclasses import replace
from pathlib import Path

import pytest

from genredb.runner.graph.compiler import compile_project
from genredb.runner.project.discover import read_project
from genredb.spark.dialect import RefusedError, to_spark
from tests.project_files import model_of, write_project

SCHEMA = {"main": {"words": {"word": "VARCHAR"}}}
MACROS = """
{% macro initial(column) %}{{ return(adapter.dispatch('initial')(column)) }}{% endmacro %}
{% macro default__initial(column) %}upper({{ column }})[1]{% endmacro %}
"""
ON_SPARK = "{% macro spark__initial(column) %}left({{ column }}, 1){% endmacro %}"


def sql_on(engine: str, folder: Path) -> str:
    config = write_project(folder, {})
    config = replace(config, settings=replace(config.settings, engine=engine))
    compilation = compile_project(read_project(config))
    return model_of(compilation, "initials").sql


def test_each_engine_gets_its_own_version(tmp_path: Path) -> None:
    files = {
        "seeds/words.csv": "word\na\n",
        "macros/initial.sql": MACROS,
        "models/initials.sql": "select {{ initial('word') }} as initial from {{ ref('words') }}",
    }
    write_project(tmp_path, files)
    assert "upper(word)[1]" in sql_on("duckdb", tmp_path)
    with pytest.raises(RefusedError, match=r"upper\(\)"):
        to_spark(sql_on("spark", tmp_path), SCHEMA)
    (tmp_path / "macros/on_spark.sql").write_text(ON_SPARK)
    assert "upper(word)[1]" in sql_on("duckdb", tmp_path)
    assert "LEFT(" in to_spark(sql_on("spark", tmp_path), SCHEMA).upper()
