# What developers run; `just` lists it. Everything runs in .venv, made by the README's test command.

default:
    @just --list

# Everything that looks at the code without running it
lint:
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
    .venv/bin/lint-imports
    .venv/bin/sqlfluff lint sql genredb/look/site

# The default tests
test *arguments:
    .venv/bin/python -m pytest {{ arguments }}

# The tests that take minutes
slow:
    .venv/bin/python -m pytest -m slow

# Write the golden files anew; look at the difference before you commit it
golden:
    GENREDB_UPDATE_GOLDEN=1 .venv/bin/python -m pytest

# `genredb build` of this project beside the same work by hand
bench *arguments:
    .venv/bin/python -m bench.build {{ arguments }}

# Start-up, a small project and generated ones beside dbt; GENREDB_DBT names its `dbt`
bench-runner *arguments:
    .venv/bin/python -m bench.runner {{ arguments }}

# The predictor beside bare scikit-learn, queries beside plain DuckDB
bench-learn *arguments:
    .venv/bin/python -m bench.learn {{ arguments }}
bench-query *arguments:
    .venv/bin/python -m bench.query {{ arguments }}

# Stages of up to ten million songs beside the least that each could cost
bench-scale *arguments:
    .venv/bin/python -m bench.scale {{ arguments }}

# The report beside the same SQL and the same map
bench-site *arguments:
    .venv/bin/python -m bench.site {{ arguments }}

# An edit under `genredb build --watch` beside a build run by hand
bench-watch *arguments:
    .venv/bin/python -m bench.watch {{ arguments }}

# Draw the pictures of README and docs/ again, from the synthetic sample; needs Chromium
pictures:
    #!/usr/bin/env bash
    set -euo pipefail
    images={{ justfile_directory() }}/docs/images genredb={{ justfile_directory() }}/.venv/bin/genredb
    cd "$(mktemp -d)"
    $genredb build -q && $genredb predict -q && $genredb evaluate -q > /dev/null && $genredb site -q
    for kind in heatmap distribution; do $genredb plot $kind --force -o "$images/$kind.svg"; done
    for page in index:840 map:1140 lineage:620; do
        chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=5000 \
            --window-size=1280,${page#*:} --screenshot="$images/${page%:*}.png" "file://$PWD/site/${page%:*}.html"
    done

# Resolve the locked dependencies anew
lock:
    pip-compile --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
        --strip-extras --extra dev --no-header -o requirements.lock pyproject.toml
