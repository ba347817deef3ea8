"""Roles that are stated once: a model takes those of its columns from another (``meta: roles_from``)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from genredb.errors import ProjectError, did_you_mean
from genredb.project.nodes import Column, Model

# What every row of the other model has; a view may leave out its labels and weights.
_ALWAYS = ("id", "group", "feature")


def with_roles(model: Model, models: Mapping[str, Model]) -> Model:
    """Return a model whose columns have the roles and descriptions of the model named by ``roles_from``.

    Its columns of the roles id, group and feature stand first, in its order. ProjectError where there is
    no such model, or where it takes its roles from another itself.
    """
    name = _roles_from(model)
    if name is None:
        return model
    others = [other for other in models if other != model.name and _roles_from(models[other]) is None]
    if name not in others:
        raise ProjectError(
            f"{model.path}: `roles_from:` of {model.name} names no model that states roles itself: {name!r}."
            f"{did_you_mean(str(name), others)}"
        )
    return replace(model, columns=tuple(_columns(model, models[str(name)])))


def _roles_from(model: Model) -> object:
    return (model.config.get("meta") or {}).get("roles_from")


def _columns(model: Model, other: Model) -> Iterator[Column]:
    own = {column.name: column for column in model.columns}
    for above in other.columns:
        column = own.pop(above.name, None)
        if column is not None:
            description = column.description or above.description
            yield replace(column, description=description, meta={**above.meta, **column.meta})
        elif above.role in _ALWAYS:
            yield above
    yield from own.values()
