"""Docs blocks: texts shared by several descriptions, ``{% docs name %} … {% enddocs %}``."""

import re
from collections.abc import Callable, Iterable, Mapping

from genredb.errors import FollowUpError
from genredb.runner.project.files import read_text
from genredb.runner.project.find import find
from genredb.runner.project.package import Package

_DOCS = re.compile(r"\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}", re.DOTALL)
_DOC_CALL = re.compile(r"""\{\{-?\s*doc\(\s*(?:['"]\w+['"]\s*,\s*)?['"](\w+)['"]\s*\)\s*-?\}\}""")


def read_docs(package: Package) -> dict[str, str]:
    """Return the docs blocks of a package, by name."""
    folders = package.docs_paths or package.properties_paths
    return docs_blocks(read_text(path) for path in find(folders, ".md"))


def docs_blocks(texts: Iterable[str]) -> dict[str, str]:
    """Return the docs blocks in these texts, by name."""
    return {name: block.strip() for text in texts for name, block in _DOCS.findall(text)}


def describer(docs: Mapping[str, str], path: str) -> Callable[[str], str]:
    """Return a function that renders docs blocks in a description; it raises FollowUpError for unknown ones.

    ``path`` is the file that contains the description.
    """

    def block(match: re.Match[str]) -> str:
        if match[1] not in docs:
            raise FollowUpError(
                f"there is no docs block '{match[1]}'", place=path, name=match[1], choices=docs
            )
        return docs[match[1]]

    return lambda text: _DOC_CALL.sub(block, text) if "{{" in text else text
