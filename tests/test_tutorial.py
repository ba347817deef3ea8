"""docs/tutorial.md: each of its commands prints what the page shows, in a new project on the sample."""

from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli
from tests.printed_pages import check_sessions, run_in


@pytest.mark.slow
def test_the_tutorial_shows_what_commands_print(cli: Cli, tmp_path: Path) -> None:
    """Whoever follows the tutorial sees its numbers."""
    project = tmp_path / "songs"
    assert cli("init", project, cwd=tmp_path).code == 0
    assert check_sessions(ROOT / "docs" / "tutorial.md", lambda command: run_in(cli, project, command)) == 20
