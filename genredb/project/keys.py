"""Every key that a yml file or ``config()`` may have: what genredb reads, and what of dbt's it ignores.

One registry; ``check_keys`` holds a whole file against it. A key in neither list is an error that names its
line and what was perhaps meant. In a configuration, where dbt lets people keep keys of their own, only what
looks like a slip is one; in ``meta:``, where all keys are their own, a slip is a warning.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from genredb.errors import Problems, did_you_mean
from genredb.project.files import key_line
from genredb.project.merge import config_key, is_setting

Path = tuple[str | int, ...]
# From where on two keys are so alike that one of them is a slip: an error, or worth a warning.
_SLIP, _PERHAPS_SLIP = 0.8, 0.65


@dataclass(frozen=True)
class Keys:
    """The keys of one place. ``known`` says what stands below each: another place, or None for a value.

    ``ignored`` are dbt's, without effect here. ``is_open`` admits keys of people's own, ``is_free`` without
    a word. Where ``names`` is set, the keys are names that people give, and this is what stands below each.
    """

    place: str
    known: Mapping[str, "Keys | None"] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    is_open: bool = False
    is_free: bool = False
    names: "Keys | None" = None


def _known(text: str, **below: Keys) -> dict[str, Keys | None]:
    return {**dict.fromkeys(text.split()), **below}


# What other databases' adapters and dbt's own platform read of a configuration.
_ELSEWHERE = frozenset(
    """
    access additional_libs as_columnstore auto_liquid_cluster auto_refresh automatic_clustering backup
    base_location_root base_location_subpath batch_id batch_size begin bind buckets catalog catalog_name
    category cluster_by cluster_id clustered_by compression concurrent_batches contract copy_grants
    create_notebook custom_checks databricks_compute databricks_tags dataproc_cluster_name dist
    enable_list_inference enable_refresh event_time external_access_integrations external_volume file_format
    freshness grant_access_to grants group hours_to_expiration http_path imports include_full_name_in_path
    index_url indexes initialize intermediate_format jar_file_uri job_cluster_config kms_key_name labels
    labels_from_meta liquid_clustered_by location_root lookback matched_condition max_staleness
    merge_clauses merge_on_using_columns merge_returning_columns merge_update_condition
    merge_insert_condition merge_update_set_expressions merge_with_schema_evolution
    not_matched_by_source_action not_matched_by_source_condition not_matched_condition notebook_template_id
    on_configuration_change packages partition_by partition_expiration_days partitions persist_docs
    primary_key python_job_config python_version query_tag quoting refresh_interval_minutes refresh_mode
    require_partition_filter resource_tags row_access_policy schedule secrets secure skip_matched_step
    skip_not_matched_step snowflake_warehouse sort sort_type source_alias state static_analysis strictness
    submission_method sync table_format table_tag table_type target_alias target_lag tblproperties timeout
    tmp_relation_type transient use_anonymous_sproc user_folder_for_python
    """.split()
)
# dbt-duckdb's own.
_DUCKDB = frozenset(
    "batch_size fast format glue_database glue_register location options overwrite parquet_read_options"
    " partition_columns partitioned_by plugin register sorted_by".split()
)
# What a source's and a column's ``meta:`` may say to genredb.
META = Keys(
    "meta",
    _known(
        "aliases delimiter file files filled_with formatter external_location header key learned_from max min"
        " optional required role roles_from row_filter thousands_separator"
    ),
    is_open=True,
    is_free=True,
)
_COMMON = "alias database docs enabled schema tags"
_RUN = "full_refresh post-hook pre-hook"


def _config(place: str, known: str, ignored: frozenset[str] = _ELSEWHERE | _DUCKDB) -> Keys:
    stated = _known(known, meta=META)
    return Keys(place, stated, ignored - stated.keys(), is_open=True)


# The keys of a node's configuration, by its kind: in yml, in dbt_project.yml and in ``config()``.
CONFIG: Mapping[str, Keys] = {
    "model": _config(
        "the configuration of a model",
        f"{_COMMON} {_RUN} incremental_predicates incremental_strategy materialized merge_exclude_columns"
        " merge_update_columns on_schema_change predicates sql_header unique_key",
        _ELSEWHERE | _DUCKDB | {"column_types", "description"},
    ),
    "seed": _config(
        "the configuration of a seed",
        f"{_COMMON} {_RUN} column_types delimiter materialized quote_columns",
        _ELSEWHERE | _DUCKDB | {"description"},
    ),
    "source": _config(
        "the configuration of a source",
        "enabled external_location formatter tags",
        _ELSEWHERE | _DUCKDB | {"loaded_at_field", "loaded_at_query", "schema_origin", "description"},
    ),
    "check": _config(
        "the configuration of a check",
        f"{_COMMON} error_if fail_calc limit materialized severity store_failures store_failures_as"
        " warn_if where",
        _ELSEWHERE | _DUCKDB | {"description", "full_refresh"},
    ),
}
# The other keys are arguments of the check, which knows them.
_CHECK = Keys("a check", names=Keys("a check", {"config": CONFIG["check"]}, is_open=True, is_free=True))
_COLUMN = Keys(
    "a column",
    _known(
        "data_type description name quote tags",
        config=Keys(
            "the configuration of a column",
            _known("tags", meta=META),
            frozenset(("databricks_tags",)),
            is_open=True,
        ),
        data_tests=_CHECK,
        meta=META,
        tests=_CHECK,
    ),
    frozenset(
        "column_mask constraints databricks_tags dimension entity granularity policy_tags time_spine".split()
    ),
)
_CHECKED = {"columns": _COLUMN, "data_tests": _CHECK, "meta": META, "tests": _CHECK}
_TIMELY = frozenset("event_time freshness loaded_at_field loaded_at_query loader quoting".split())
_FIXTURE = "fixture format rows"
_DOCS_CONFIG = Keys("a configuration", _known("docs enabled group meta tags"), is_open=True)

PROPERTIES = Keys(
    "",
    {
        "version": None,
        "models": Keys(
            "a model",
            _known("description docs name tags", config=CONFIG["model"], **_CHECKED),
            frozenset(
                "access agg_time_dimension constraints contract deprecation_date derived_semantics group"
                " identifier latest_version metrics primary_entity primary_key semantic_model"
                " static_analysis_off_reason time_spine versions".split()
            ),
        ),
        "seeds": Keys(
            "a seed",
            _known("description docs name tags", config=CONFIG["seed"], **_CHECKED),
            frozenset("group static_analysis_off_reason".split()),
        ),
        "sources": Keys(
            "a source",
            _known(
                "database description name schema tags",
                config=CONFIG["source"],
                meta=META,
                tables=Keys(
                    "a source's table",
                    _known("description identifier name tags", config=CONFIG["source"], **_CHECKED),
                    _TIMELY | {"external"},
                ),
            ),
            _TIMELY | {"catalog", "overrides"},
        ),
        **dict.fromkeys(
            ("data_tests", "tests"),
            Keys("a check", _known("description meta name tags", config=CONFIG["check"])),
        ),
        "unit_tests": Keys(
            "a unit test",
            _known(
                "description model name",
                config=Keys("the configuration of a unit test", _known("enabled meta tags"), is_open=True),
                expect=Keys("expect", _known(_FIXTURE)),
                given=Keys("an entry of given", _known(f"input {_FIXTURE}")),
                overrides=Keys("overrides", _known("env_vars macros vars")),
            ),
            frozenset(("static_analysis_off_reason", "versions")),
        ),
        # Each is named as not built.
        "snapshots": None,
        "macros": Keys(
            "a macro",
            _known(
                "description docs meta name",
                arguments=Keys("an argument of a macro", _known("description name type")),
                config=_DOCS_CONFIG,
            ),
        ),
    },
    frozenset("analyses anchors exposures functions groups metrics saved_queries semantic_models".split()),
)

PROJECT = Keys(
    "",
    _known(
        "analysis-paths clean-targets config-version data_tests macro-paths model-paths models name"
        " on-run-end on-run-start profile seed-paths seeds snapshot-paths sources target-path test-paths"
        " tests vars version"
        # Without effect on rows: where dbt logs and documents, which dbt it wants.
        " asset-paths config dbt-cloud docs-paths flags function-paths log-path packages-install-path"
        " require-dbt-version unit_tests"
    ),
    frozenset(
        "analyses dispatch exposures functions metrics query-comment quoting restrict-access saved-queries"
        " semantic-models snapshots sync".split()
    ),
)
# Of dbt_project.yml: the trees of configuration, with the kind of node that each configures.
TREES: Mapping[str, str] = {
    "models": "model",
    "seeds": "seed",
    "sources": "source",
    "data_tests": "check",
    "tests": "check",
}

PROFILE = Keys("a profile", _known("outputs target"), frozenset(("config",)))
OUTPUT = Keys(
    "an output of type duckdb",
    _known("database path schema settings threads type"),
    frozenset(
        "attach config_options disable_transactions extensions external_root filesystems flights"
        " is_ducklake keep_open module_paths motherduck_token plugins remote retries secrets"
        " use_credential_provider".split()
    ),
)
# Of classifiers.yml. The parameters are those of an estimator, which knows them.
ESTIMATOR = Keys("an estimator", _known("estimator parameters pipeline"))
CLASSIFIERS = Keys(
    "",
    {
        "version": None,
        "classifiers": Keys(
            "a classifier", {**ESTIMATOR.known, **_known("description name reads_artist trusts")}
        ),
    },
)
PACKAGES = Keys(
    "",
    {
        "packages": Keys(
            "a package",
            _known(
                "git install-prerelease local name package private provider revision subdirectory tarball"
                " unrendered version warn-unpinned"
            ),
        ),
        "projects": Keys("a project", _known("name")),
    },
)


def check_keys(content: Any, keys: Keys, path: str, text: str, above: Path = ()) -> list[str]:
    """Return the keys that have no effect, as sentences; ``path`` is what messages call the file.

    ``above`` leads to the content in its file.

    Raises ProjectError, with the line in ``text``, for every key that has no meaning here.
    """
    return _settled(_faults(content, keys, above), path, text)


def check_project_keys(content: Mapping[str, Any], path: str, text: str) -> list[str]:
    """Return the same of dbt_project.yml, with its trees of configuration."""
    faults = [*_faults(content, PROJECT, ())]
    for key, kind in TREES.items():
        faults += _tree_faults(content.get(key), CONFIG[kind], (key,))
    return _settled(faults, path, text)


def _settled(faults: Iterable["Fault"], path: str, text: str) -> list[str]:
    """Return the sentences of what is ignored; raise ProjectError for all that is not."""
    problems, notices = Problems(), []
    for fault in faults:
        if fault.is_error:
            line = key_line(text, fault.keys)
            problems.add(f"{path}:{line}: {fault.sentence}" if line else f"{path}: {fault.sentence}")
        else:
            notices.append(f"{path}: {fault.sentence}")
    problems.raise_all()
    return list(dict.fromkeys(notices))


@dataclass(frozen=True)
class Fault:
    """A key that is not read. ``keys`` lead to it in its file."""

    sentence: str
    is_error: bool
    keys: Path = ()


def fault_of(key: Any, value: Any, keys: Keys, path: Path = ()) -> Fault | None:
    """Return what is to be said of one key in its place, or None where it is read."""
    where = f" of {keys.place}" if keys.place else ""
    if not isinstance(key, str):
        return Fault(f"a key{where} should be a text, not {key!r}.", True, path)
    if key in keys.known or (key in keys.ignored and keys.is_open and not value):
        return None
    if key in keys.ignored:
        return Fault(f"genredb ignores `{key}:`{where}.", False, path)
    likeness = _PERHAPS_SLIP if keys is META else _SLIP
    is_slip = bool(difflib.get_close_matches(key, keys.known, n=1, cutoff=likeness))
    if is_slip or not keys.is_open:
        sentence = f"genredb knows no `{key}:`{where}.{did_you_mean(key, keys.known)}"
        return Fault(sentence, keys is not META, path)
    if keys.is_free:
        return None
    return Fault(f"genredb ignores `{key}:`{where}, which dbt does not know either.", False, path)


def _faults(content: Any, keys: Keys, path: Path) -> Iterator[Fault]:
    """Walk what a yml file holds below one place."""
    if isinstance(content, list):
        for i, item in enumerate(content):
            yield from _faults(item, keys, (*path, i))
    if not isinstance(content, Mapping):
        return
    if keys.names is not None and "test_name" not in content:
        for name, value in content.items():
            yield from _faults(value, keys.names, (*path, name))
        return
    place = keys.names or keys
    for stated, value in content.items():
        key = config_key(stated) if place.is_open and isinstance(stated, str) else stated
        fault = fault_of(key, value, place, (*path, stated))
        if fault is not None:
            yield fault
        elif isinstance(key, str) and (below := place.known.get(key)) is not None:
            yield from _faults(value, below, (*path, stated))


def _tree_faults(tree: Any, keys: Keys, path: Path) -> Iterator[Fault]:
    """Walk a tree of configuration, in which folders hold folders and settings."""
    if not isinstance(tree, Mapping):
        return
    for stated, value in tree.items():
        if isinstance(stated, str) and not is_setting(stated, value):
            yield from _tree_faults(value, keys, (*path, stated))
        else:
            yield from _faults({stated: value}, keys, path)
