"""No yml and no template, however it is made, takes a machine's time or memory, or ends in a bug's traceback."""

from pathlib import Path

import pytest

from genredb.cli.options import parse_mapping
from genredb.errors import ProjectError, UsageError
from genredb.runner.project import template_limits
from genredb.runner.project.files import load_yaml
from genredb.runner.project.find import project_digest
from tests.project_files import BASE, compiled, write_project

ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(60))
YML = {
    "aliases": (ALIASES, "expands beyond 200,000 values"),
    "merged aliases": (
        "a0: &a0 {x: 1, y: 2}\n"
        + "".join(f"a{i + 1}: &a{i + 1} {{p: *a{i}, q: *a{i}}}\n" for i in range(60)),
        "expands beyond",
    ),
    "an anchor in itself": ("a: &a [*a]", ":1: the yml nests endlessly"),
    "a mapping in itself": ("a: &a {b: *a}", ":1: the yml nests endlessly"),
    "depth": ("[" * 200 + "]" * 200, "nests deeper than 100 levels"),
    "great depth": ("- " * 50_000 + "x", "maximum nesting depth"),
    "a long number": ("a: " + "9" * 10_000, "Exceeds the limit"),
    "no date": ("a: 2020-99-99", "month must be in 1..12"),
    "no number": ("a: !!int x", "invalid literal for int"),
    "a list as a key": ("? [a, b]\n: 1", "unhashable"),
}


@pytest.mark.parametrize("kind", YML)
def test_yml_that_grows_or_cannot_be_read_is_refused_at_once(kind: str) -> None:
    text, message = YML[kind]
    with pytest.raises(ProjectError, match=message):
        load_yaml(text, "p.yml")
    with pytest.raises(UsageError, match=message):
        parse_mapping(text, "--vars", "a: 1")


@pytest.mark.parametrize("name", ["dbt_project.yml", "models/p.yml", "profiles.yml", "packages.yml"])
def test_every_file_is_read_within_limits(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProjectError, match="expands beyond 200,000 values"):
        compiled(tmp_path, {name: BASE.get(name, "") + ALIASES})


def test_links_that_lead_round_in_circles_are_refused_at_once(tmp_path: Path) -> None:
    """Each of them would double the folders to read, forty times."""
    config = write_project(tmp_path, {"models/a/m.sql": "select 1 as x", "models/b/n.sql": "select 1 as x"})
    for name in ("x", "y"):
        (tmp_path / "models" / "a" / name).symlink_to(tmp_path / "models" / "b")
        (tmp_path / "models" / "b" / name).symlink_to(tmp_path / "models" / "a")
    with pytest.raises(ProjectError, match="is a link that leads back to a folder above it"):
        project_digest(config)


STEPS = {
    "a long text": "{{ 'x' * 5000000000 }}",
    "a long list": "{{ [1] * 5000000000 }}",
    "a large power": "{{ 10 ** 10000000000 }}",
    "a wide text": "{{ 'x'.ljust(10000000000) }}",
    "a centred text": "{{ 'x' | center(10000000000) }}",
    "an indented text": "{{ 'x' | indent(10000000000) }}",
    "a wide format": "{{ '%9999999999d' % 1 }}",
    "a format's width given": "{{ '%*d' % (9999999999, 1) }}",
    "a wide new format": "{{ '{:>9999999999}'.format(1) }}",
    "a new format's width given": "{{ '{:{}}'.format(1, 9999999999) }}",
    "a text replaced": "{{ ('a' * 9000000).replace('a', 'b' * 1000) }}",
    "a text replaced by a filter": "{{ ('a' * 9000000) | replace('a', 'b' * 1000) }}",
    "a text replaced by a pattern": "{{ modules.re.sub('a', 'b' * 1000, 'a' * 9000000) }}",
    "a text translated": "{{ ('a' * 9000000).translate({97: 'b' * 1000}) }}",
    "tabs expanded": "{{ ('\\t' * 9000000).expandtabs(1000) }}",
    "texts joined": "{{ ''.join(['a' * 1000000] * 5000) }}",
    "texts joined by a filter": "{{ (['a' * 1000000] * 5000) | join }}",
    "a long range": "{% for i in range(1000000000) %}{% endfor %}",
}


@pytest.mark.parametrize("kind", STEPS)
def test_a_template_makes_nothing_huge_in_one_step(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ProjectError, match=r"^models/m.sql:1: .*(with more than|too wide|Range too big)"):
        compiled(tmp_path, {"models/m.sql": STEPS[kind]})


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ modules.re.match('(a+)+$', 'a' * 40 ~ 'b') }}",
    ],
)
def test_a_template_that_runs_on_and_on_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setattr(template_limits, "SECONDS", 0.2)
    with pytest.raises(ProjectError, match="runs for more than"):
        compiled(tmp_path, {"models/m.sql": template})


@pytest.mark.parametrize(
    "endless", ["count()", "cycle([1])", "repeat(1)", "product(range(9999), range(9999))"]
)
def test_an_iterator_without_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endless: str
) -> None:
    with pytest.raises(ProjectError, match="with more than 1,000,000 parts"):
        compiled(tmp_path, {"models/m.sql": f"{{{{ modules.itertools.{endless} | list | length }}}}"})


def test_what_an_expression_of_a_yml_file_raises_is_a_sentence(tmp_path: Path) -> None:
    for expression, message in (
        ("1/0", "division by zero"),
        ("'a' + 1", "can only concatenate"),
        ("10 ** (10 ** 10)", "with more than"),
    ):
        with pytest.raises(ProjectError, match=f"dbt_project.yml: .*{message}"):
            write_project(
                tmp_path,
                {"dbt_project.yml": f'{BASE["dbt_project.yml"]}target-path: "{{{{ {expression} }}}}"'},
            )
