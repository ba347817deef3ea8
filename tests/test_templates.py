"""What a template can reach: functions and types, never a module, a file or anything that executes code."""

from collections.abc import Mapping
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import pytest

from genredb.errors import ProjectError
from genredb.runner.compile import compile_sql
from genredb.runner.graph.compiler import compile_inline
from genredb.runner.project.discover import read_project
from genredb.runner.templates.python_modules import modules
from genredb.runner.templates.tags import Environment
from tests.project_files import write_project
from tests.verbs import build

MODEL = {"models/a.sql": "select 1 as x"}
ESCAPES = [
    "{{ modules.pytz.os.system('id') }}",
    "{{ modules.pytz.sys.modules }}",
    "{{ modules.re.enum.sys.modules['os'].system('id') }}",
    "{{ modules.re._compiler }}",
    "{{ modules.itertools.__loader__.load_module('os') }}",
    "{{ modules.datetime.sys }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ ref.__globals__ }}",
    "{{ adapter._database('x') }}",
    "{{ config._current.rendering }}",
    "{{ ref._resolve }}",
    "{{ run_query.__self__ }}",
    "{{ '{0.__globals__}'.format(ref) }}",
    "{{ range(10 ** 9) | list }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_no_template_reaches_python(template: str, tmp_path: Path) -> None:
    project = read_project(write_project(tmp_path, MODEL))
    with pytest.raises(ProjectError):
        compile_inline(project, template, None)


def test_what_modules_offer_leads_to_no_module() -> None:
    """Every attribute that the sandbox lets a template see, three steps deep."""
    environment = Environment()

    def walk(value: Any, path: str, depth: int) -> None:
        assert not isinstance(value, ModuleType | CodeType | FrameType), path
        if depth == 0 or isinstance(value, str | bytes | int):
            return
        if isinstance(value, Mapping):
            for name, item in value.items():
                walk(item, f"{path}.{name}", depth - 1)
        for name in dir(value):
            try:
                found = getattr(value, name)
            except Exception:  # noqa: BLE001 - what cannot be had does no harm
                continue
            if environment.is_safe_attribute(value, name, found):
                walk(found, f"{path}.{name}", depth - 1)

    walk(modules(), "modules", 4)


def test_modules_work_as_in_dbt(tmp_path: Path) -> None:
    project = read_project(write_project(tmp_path, MODEL))
    template = (
        "{{ modules.datetime.date(2020, 2, 29).isoformat() }} {{ modules.re.sub('[aeiou]', '_', 'vowels') }}"
        " {{ modules.itertools.chain([1], [2]) | list }} {{ modules.pytz.timezone('Europe/Paris') }}"
        " {{ modules.re.match('A', 'a', modules.re.IGNORECASE) is not none }} {{ range(3) | list }}"
    )
    assert compile_inline(project, template, None) == ("2020-02-29 v_w_ls [1, 2] Europe/Paris True [0, 1, 2]")


@pytest.mark.parametrize(
    "sql", ["copy (select 1) to '{}'", "create table b as select 1", "drop view a", "select 1; drop view a"]
)
def test_what_looks_at_sql_writes_nothing(sql: str, tmp_path: Path) -> None:
    """`compile`, `show` and their kin run a template's queries, and nothing that writes."""
    config = write_project(tmp_path, MODEL)
    build(config)
    target = tmp_path / "stolen.csv"
    before = config.database.read_bytes()
    stated = repr(sql.format(target))
    for asking in (f"run_query({stated})", f"adapter.get_columns_in_relation('a;' ~ {stated})"):
        with pytest.raises(ProjectError, match="only `genredb build` lets it write"):
            compile_sql(config, template=f"{{% do {asking} %}}")
    assert (target.exists(), config.database.read_bytes() == before) == (False, True)
    asked = "{{ run_query('select max(x) from ' ~ ref('a')).columns[0].values()[0] }}"
    assert compile_sql(config, template=asked) == "1"
