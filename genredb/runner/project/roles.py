"""Roles stated once: a model can take the roles of its columns from another (``meta: roles_from``)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from genredb.errors import ProjectError
from genredb.runner.project.specs import ModelSpec
from genredb.warehouse.declared import Column

# Every row of the other model has these; a view may omit labels and weights.
_ALWAYS = ("id", "group", "feature")


def with_roles(model: ModelSpec, models: Mapping[str, ModelSpec]) -> ModelSpec:
    """Return the model with the column roles and descriptions of the model named by ``roles_from``.

    Columns with the roles id, group and feature come first, in the other model's order. ProjectError if that
    model does not exist or itself takes its roles from another.
    """
    name = _roles_from(model)
    if name is None:
        return model
    others = [other for other in models if other != model.name and _roles_from(models[other]) is None]
    if name not in others:
        raise ProjectError(
            f"`roles_from:` of {model.name} is not a model with roles of its own: {name!r}",
            place=model.path,
            name=str(name),
            choices=others,
        )
    return replace(model, columns=tuple(_columns(model, models[str(name)])))


def _roles_from(model: ModelSpec) -> object:
    return (model.config.get("meta") or {}).get("roles_from")


def _columns(model: ModelSpec, other: ModelSpec) -> Iterator[Column]:
    own = {column.name: column for column in model.columns}
    for above in other.columns:
        column = own.pop(above.name, None)
        if column is not None:
            description = column.description or above.description
            yield replace(column, description=description, meta={**above.meta, **column.meta})
        elif above.role in _ALWAYS:
            yield above
    yield from own.values()
