"""A results folder belongs to one recipe: `recipe.json` says which."""

import json
from pathlib import Path

from scriptorium.errors import ConfigError
from scriptorium.files import write_json

FILE = "recipe.json"


def check(results: Path, recipe: str) -> None:
    """Raise ConfigError if the folder `results` belongs to another recipe than `recipe`."""
    path = results / FILE
    if not path.exists():
        return
    owner = json.loads(path.read_text(encoding="utf-8"))["recipe"]
    if owner != recipe:
        raise ConfigError(
            f"{path}: this folder holds the results of recipe {owner!r}, not {recipe!r}; "
            f"name another folder (--config results=NAME) or recipe ({owner!r})"
        )


def claim(results: Path, recipe: str) -> None:
    """Write down that `results` belongs to `recipe`, unless it is there already. Raises ConfigError."""
    check(results, recipe)
    if not (results / FILE).exists():
        write_json(results / FILE, {"recipe": recipe})
