"""All keys allowed in yml files and ``config()``: those genredb reads, and dbt's that it ignores.

This is the only registry; ``check_keys`` checks whole files against it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from genredb.runner.project.adapter_keys import ELSEWHERE, OF_DUCKDB


@dataclass(frozen=True)
class Keys:
    """The keys allowed in one place. ``known`` maps each to the keys below it, or None for a value.

    ``ignored`` keys are dbt's and have no effect here. ``is_open`` allows custom keys; with ``is_free`` they
    cause no message either. If ``names`` is set, the keys are user-defined names, and ``names`` describes
    what is below each.
    """

    place: str
    known: Mapping[str, "Keys | None"] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    is_open: bool = False
    is_free: bool = False
    names: "Keys | None" = None


def named(text: str, **below: Keys) -> dict[str, Keys | None]:
    """Return the keys listed in a text, which hold values, and those with further keys below them."""
    return {**dict.fromkeys(text.split()), **below}


# Keys that genredb reads in the ``meta:`` of a source or column.
META = Keys(
    "meta",
    named(
        "aliases delimiter file files filled_with formatter external_location header key learned_from max min"
        " optional required role roles_from row_filter thousands_separator"
    ),
    is_open=True,
    is_free=True,
)
_COMMON = "alias database docs enabled schema tags"
_DOCS = Keys("persist_docs", named("columns relation"))
_CONTRACT = Keys("a contract", named("alias_types enforced"))
_CONSTRAINT = "expression name to to_columns type warn_unenforced warn_unsupported"
_RUN = "full_refresh post-hook pre-hook"


FRESHNESS = Keys(
    "freshness",
    named("filter", **dict.fromkeys(("error_after", "warn_after"), Keys("a limit", named("count period")))),
)


def _config(place: str, known: str, ignored: frozenset[str] = ELSEWHERE | OF_DUCKDB, **below: Keys) -> Keys:
    stated = named(known, meta=META, **below)
    return Keys(place, stated, ignored - stated.keys(), is_open=True)


# Configuration keys by kind of node: in yml, in dbt_project.yml and in ``config()``.
CONFIG: Mapping[str, Keys] = {
    "model": _config(
        "the configuration of a model",
        f"{_COMMON} {_RUN} access group incremental_predicates incremental_strategy materialized"
        " merge_exclude_columns merge_update_columns on_schema_change predicates sql_header unique_key",
        ELSEWHERE | OF_DUCKDB | {"column_types", "description"},
        contract=_CONTRACT,
        persist_docs=_DOCS,
    ),
    "seed": _config(
        "the configuration of a seed",
        f"{_COMMON} {_RUN} column_types delimiter group materialized quote_columns",
        ELSEWHERE | OF_DUCKDB | {"description"},
        persist_docs=_DOCS,
    ),
    "snapshot": _config(
        "the configuration of a snapshot",
        f"{_COMMON} check_cols dbt_valid_to_current group hard_deletes invalidate_hard_deletes materialized"
        " post-hook pre-hook snapshot_meta_column_names strategy target_database target_schema unique_key"
        " updated_at",
        ELSEWHERE | OF_DUCKDB | {"description", "full_refresh"},
        persist_docs=_DOCS,
    ),
    "source": _config(
        "the configuration of a source",
        "enabled external_location formatter tags loaded_at_field loaded_at_query",
        ELSEWHERE | OF_DUCKDB | {"schema_origin", "description"},
        freshness=FRESHNESS,
    ),
    "check": _config(
        "the configuration of a check",
        f"{_COMMON} error_if fail_calc group limit materialized severity store_failures store_failures_as"
        " warn_if where",
        ELSEWHERE | OF_DUCKDB | {"description", "full_refresh"},
    ),
}
# The other keys are arguments, which the check itself validates.
_CHECK = Keys("a check", names=Keys("a check", {"config": CONFIG["check"]}, is_open=True, is_free=True))
_COLUMN = Keys(
    "a column",
    named(
        "data_type description name quote tags",
        config=Keys(
            "the configuration of a column",
            named("tags", meta=META),
            frozenset(("databricks_tags",)),
            is_open=True,
        ),
        constraints=Keys("a constraint of a column", named(_CONSTRAINT)),
        data_tests=_CHECK,
        meta=META,
        tests=_CHECK,
    ),
    frozenset("column_mask databricks_tags dimension entity granularity policy_tags time_spine".split()),
)
_TABLE_CONSTRAINT = Keys("a constraint of a model", named(f"{_CONSTRAINT} columns"))
_VERSION = Keys(
    "a version",
    named(
        "access defined_in deprecation_date description docs v",
        columns=Keys("a column of a version", {**_COLUMN.known, **named("exclude include")}, _COLUMN.ignored),
        config=CONFIG["model"],
        constraints=_TABLE_CONSTRAINT,
        data_tests=_CHECK,
        tests=_CHECK,
    ),
)
_CHECKED = {"columns": _COLUMN, "data_tests": _CHECK, "meta": META, "tests": _CHECK}
_TIMELY = frozenset("event_time loader quoting".split())
_FIXTURE = "fixture format rows"
_OWNER = Keys("an owner", is_open=True, is_free=True)
_DOCS_CONFIG = Keys("a configuration", named("docs enabled group meta tags"), is_open=True)

PROPERTIES = Keys(
    "",
    {
        "version": None,
        "models": Keys(
            "a model",
            named(
                "access deprecation_date description docs group latest_version name tags",
                config=CONFIG["model"],
                constraints=_TABLE_CONSTRAINT,
                contract=_CONTRACT,
                versions=_VERSION,
                **_CHECKED,
            ),
            frozenset(
                "agg_time_dimension derived_semantics freshness identifier metrics primary_entity"
                " primary_key semantic_model static_analysis_off_reason time_spine".split()
            ),
        ),
        "seeds": Keys(
            "a seed",
            named("description docs group name tags", config=CONFIG["seed"], **_CHECKED),
            frozenset(("static_analysis_off_reason",)),
        ),
        "sources": Keys(
            "a source",
            named(
                "database description loaded_at_field loaded_at_query name schema tags",
                config=CONFIG["source"],
                freshness=FRESHNESS,
                meta=META,
                tables=Keys(
                    "a source's table",
                    named(
                        "description identifier loaded_at_field loaded_at_query name tags",
                        config=CONFIG["source"],
                        freshness=FRESHNESS,
                        **_CHECKED,
                    ),
                    _TIMELY | {"external"},
                ),
            ),
            _TIMELY | {"catalog", "overrides"},
        ),
        **dict.fromkeys(
            ("data_tests", "tests"),
            Keys("a check", named("description meta name tags", config=CONFIG["check"])),
        ),
        "unit_tests": Keys(
            "a unit test",
            named(
                "description model name",
                config=Keys("the configuration of a unit test", named("enabled meta tags"), is_open=True),
                expect=Keys("expect", named(_FIXTURE)),
                given=Keys("an entry of given", named(f"input {_FIXTURE}")),
                overrides=Keys("overrides", named("env_vars macros vars")),
                versions=Keys("the versions of a unit test", named("exclude include")),
            ),
            frozenset(("static_analysis_off_reason",)),
        ),
        "snapshots": Keys(
            "a snapshot",
            named("description docs group name relation tags", config=CONFIG["snapshot"], **_CHECKED),
            frozenset(("static_analysis_off_reason",)),
        ),
        "exposures": Keys(
            "an exposure",
            named(
                "depends_on description label maturity name tags type url",
                config=_DOCS_CONFIG,
                meta=META,
                owner=_OWNER,
            ),
        ),
        "groups": Keys(
            "a group",
            named("description name", config=_DOCS_CONFIG, owner=_OWNER),
        ),
        "macros": Keys(
            "a macro",
            named(
                "description docs meta name",
                arguments=Keys("an argument of a macro", named("description name type")),
                config=_DOCS_CONFIG,
            ),
        ),
    },
    frozenset("analyses anchors functions metrics saved_queries semantic_models".split()),
)

PROJECT = Keys(
    "",
    named(
        "analysis-paths clean-targets config-version data_tests macro-paths model-paths models name"
        " on-run-end on-run-start profile seed-paths seeds snapshot-paths snapshots sources target-path"
        " test-paths tests vars version"
        # No effect on rows: where dbt writes logs and docs, which dbt version is required.
        " asset-paths config dbt-cloud docs-paths flags function-paths log-path packages-install-path"
        " require-dbt-version restrict-access unit_tests",
        dispatch=Keys("an entry of dispatch", named("macro_namespace search_order")),
    ),
    frozenset(
        "analyses exposures functions metrics query-comment quoting saved-queries"
        " semantic-models sync".split()
    ),
)
# The configuration trees of dbt_project.yml, with the kind of node that each configures.
TREES: Mapping[str, str] = {
    "models": "model",
    "seeds": "seed",
    "snapshots": "snapshot",
    "sources": "source",
    "data_tests": "check",
    "tests": "check",
}

PROFILE = Keys("a profile", named("outputs target"), frozenset(("config",)))
OUTPUT = Keys(
    "an output of type duckdb",
    named(
        "database extensions path schema settings spark threads type",
        attach=Keys(
            "an entry of attach",
            named("alias path read_only type"),
            frozenset("is_ducklake options secret".split()),
        ),
    ),
    frozenset(
        "config_options disable_transactions external_root filesystems flights"
        " is_ducklake keep_open module_paths motherduck_token plugins remote retries secrets"
        " use_credential_provider".split()
    ),
)
SPARK = Keys("the block `spark:` of an output", named("master settings"), frozenset())
PACKAGES = Keys(
    "",
    {
        "packages": Keys(
            "a package",
            named(
                "git install-prerelease local name package private provider revision subdirectory tarball"
                " unrendered version warn-unpinned"
            ),
        ),
        "projects": Keys("a project", named("name")),
    },
)
