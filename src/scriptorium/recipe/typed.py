"""YAML into types: every fault is one line that names the file, the key and the nearest known name."""

import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from scriptorium.errors import ConfigError, nearest


class Typed(BaseModel):
    """A part of a config or recipe. Unknown keys are errors; values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


T = TypeVar("T", bound=Typed)


def read(kind: type[T], path: Path) -> T:
    """The YAML file `path` as a `kind`. Raises ConfigError if it is missing, not YAML or not a `kind`."""
    return parse(kind, read_mapping(path), str(path))


def read_mapping(path: Path) -> dict[str, Any]:
    """The YAML mapping in `path`; an empty file is an empty mapping. Raises ConfigError."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found a {type(values).__name__}")
    return values


def parse(kind: type[T], values: Mapping[str, Any], where: str) -> T:
    """`values` as a `kind`; `where` names their file in errors. Raises ConfigError, one line a fault."""
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigError(
            "\n".join(f"{where}: {_describe(kind, fault)}" for fault in error.errors())
        ) from error


def _describe(kind: type[BaseModel], fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        owner = _type_at(kind, fault["loc"][:-1])
        return f"{key}: unknown key; {nearest(str(fault['loc'][-1]), owner.model_fields if owner else [])}"
    if fault["type"] == "missing":
        return f"{key}: missing"
    message = fault["msg"].removeprefix("Value error, ")
    if not key:
        return message
    return f"{key}: {message}" + ("" if fault["type"] == "value_error" else f", found {fault['input']!r}")


def _type_at(kind: Any, keys: Sequence[str | int]) -> type[BaseModel] | None:
    """The typed part that lies under `keys`, or None where the types do not say."""
    for key in keys:
        kind = _part(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            field = kind.model_fields.get(str(key))
            kind = field.annotation if field else None
        elif get_origin(kind) in (dict, list):
            kind = get_args(kind)[-1]
    kind = _part(kind)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _part(kind: Any) -> Any:
    """Of `X | None` the X."""
    if get_origin(kind) in (typing.Union, types.UnionType):
        return next(each for each in get_args(kind) if each is not type(None))
    return kind
