"""The project in git: its revisions, and its files at a revision."""

import subprocess
import tarfile
from pathlib import Path

from genredb.errors import UsageError


def find_commit(root: Path, revision: str) -> str | None:
    """Return the commit hash of a revision (``HEAD``, a branch, a hash), or None."""
    return _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def known_revisions(root: Path) -> list[str]:
    """Return HEAD, the branches and the tags; none outside a git repository."""
    named = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    return [] if named is None else ["HEAD", *named.splitlines()]


def unpack(root: Path, commit: str, folder: Path) -> None:
    """Extract the project's files at a commit into a folder, except links that point outside it."""
    archive = folder.with_suffix(".tar")
    if _git(root, "archive", "--format=tar", f"--output={archive}", commit) is None:
        raise UsageError(f"git cannot archive {commit[:7]} of {root}")
    with tarfile.open(archive) as content:
        content.extractall(folder, filter=_inside)


def _inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo | None:
    """Return the member if it is safe to extract, None if it would end up outside the folder."""
    try:
        return tarfile.data_filter(member, folder)
    except tarfile.FilterError:
        return None


def _git(root: Path, *arguments: str) -> str | None:
    """Return the output of git in a folder; None if it fails or git is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
