"""A recipe laid over another: an ablation as a few lines that say what it changes.

    over: tiny
    variants:
      sft_frozen: {of: sft, freeze: [vision]}

The base's own stages stay as they are, so that base and variants share what they descend from, one results folder
and one table.
"""

from collections.abc import Mapping
from typing import Any

from scriptorium.errors import ConfigError, nearest


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The raw values of recipe `base` with those of `over` laid over them, its variants added as stages.

    Mappings are merged, null takes a key out, anything else replaces. Raises ConfigError for a base that is itself
    laid over another, and for a variant of a stage that is not there.
    """
    if "over" in base:
        raise ConfigError(f"{where}: over: {over['over']} is itself laid over {base['over']}; name that one")
    variants = over.get("variants") or {}
    rest = {key: value for key, value in over.items() if key not in ("over", "variants")}
    values = merged(base, rest)
    stages = dict(values.get("stages") or {})
    varied = {}
    for name, changes in variants.items():
        key = f"{where}: variants.{name}"
        if not isinstance(changes, Mapping) or not isinstance(changes.get("of"), str):
            raise ConfigError(f"{key}: needs `of`, the stage it varies, and what it changes")
        if changes["of"] not in stages:
            raise ConfigError(f"{key}.of: no stage {changes['of']!r}; {nearest(changes['of'], stages)}")
        if name in stages:
            raise ConfigError(f"{key}: a stage has that name already; choose another")
        own = {field: value for field, value in changes.items() if field != "of"}
        stages[name] = merged(stages[changes["of"]], own)
        varied[name] = changes["of"]
    return values | {"stages": stages, "variants": varied}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes`: mappings key by key, null takes a key out, anything else replaces."""
    values = dict(base)
    for key, value in changes.items():
        if value is None:
            values.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(values.get(key), Mapping):
            values[key] = merged(values[key], value)
        else:
            values[key] = value
    return values
