"""The verb ``compile``: the compiled SQL of a node or a template."""

from genredb.errors import UsageError
from genredb.runner.graph.compiler import compile_inline
from genredb.runner.graph.nodes import Check, Compiled, Model, PythonModel
from genredb.runner.opened import Opened
from genredb.runner.project.config import Config


def compile_sql(
    config: Config, name: str | None = None, template: str | None = None, *, is_to_run: bool = False
) -> str:
    """Return the SQL of a node or of an inline template; its queries run on the published database.

    For a Python model this is its code. UsageError if neither or both are given, or if ``is_to_run`` and the
    node is Python.
    """
    if (name is None) == (template is None):
        raise UsageError("Name a model, or give a template with --inline")
    with Opened(config) as opened:
        database = opened.templates_database
        if template is not None:
            return compile_inline(opened.project, template, database)
        compilation = opened.compilation
        node = compilation.find(str(name))
        if is_to_run and isinstance(node, PythonModel):
            raise UsageError(
                f"{node.name} is Python, which only a build runs",
                cure="build it and read its rows with `genredb query`",
            )
        if isinstance(node, Model | Check) and node.dynamic:
            if database is None:
                raise UsageError(
                    f"{node.name} calls {node.dynamic}, which needs a database, but there is none yet"
                )
            return compilation.deferred.sql(node, database).value
        if isinstance(node, Compiled):
            return node.sql
        return f"select * from {node.built_relation}"  # a seed
