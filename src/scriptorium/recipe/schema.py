"""The JSON schemas in `config/schemas` and the page `config/README.md`, both from the types.

python -m scriptorium.recipe.schema
"""

import json
from pathlib import Path
from typing import Any

from scriptorium.files import write_text
from scriptorium.recipe.config import Config
from scriptorium.recipe.plan import Run
from scriptorium.recipe.recipe import Recipe
from scriptorium.recipe.typed import Typed

ROOT = Path(__file__).parents[3]
KINDS: dict[str, type[Typed]] = {"config": Config, "recipe": Recipe, "stage": Run}
TITLES = {
    "config": "The config: `config/config.yaml`, `config/site.yaml`, `--config`",
    "recipe": "A recipe: `config/recipes/<name>.yaml`",
}
HEAD = """\
# Config and recipes

Written by `python -m scriptorium.recipe.schema` from the types; do not edit.

`config.yaml` says what one launch works on. `site.yaml` (yours, not in git), where present, is laid over it
and over a profile's config file; `--config key=value` over all. An unknown key is an error that names the
nearest known one. `recipes/` holds one file per published result, `models/` what the weights of one family
expect, `schemas/` the JSON schemas for an editor: begin a recipe with `# yaml-language-server:
$schema=../schemas/recipe.json`.
"""


def files() -> dict[Path, str]:
    """Every generated file and its text."""
    schemas = {name: kind.model_json_schema() for name, kind in KINDS.items()}
    made = {
        ROOT / "config" / "schemas" / f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }
    made[ROOT / "config" / "README.md"] = HEAD + "".join(_chapter(name, schemas[name]) for name in TITLES)
    return made


def _chapter(name: str, schema: dict[str, Any]) -> str:
    """The page's part on one type: a table of its keys, then one for each type inside it."""
    parts = [f"\n## {TITLES[name]}\n", _section(schema)]
    for inner, part in schema.get("$defs", {}).items():
        parts += [f"\n### {inner}\n", _section(part)]
    return "".join(parts)


def _section(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    lines = [
        f"\n{' '.join(schema['description'].split())}\n",
        "\n| key | type | default | meaning |\n|---|---|---|---|\n",
    ]
    for key, part in schema["properties"].items():
        default = "required" if key in required else _code(_default(part))
        lines.append(f"| `{key}` | {_type(part)} | {default} | {part.get('description', '')} |\n")
    return "".join(lines)


def _default(part: dict[str, Any]) -> str:
    return json.dumps(part.get("default"), ensure_ascii=False)


def _code(text: str) -> str:
    """A default in code marks; a long one is the defaults of a type of its own."""
    return f"`{text}`" if len(text) < 40 else "its own"


def _type(part: dict[str, Any]) -> str:
    """A field's type in words."""
    if "$ref" in part:
        return part["$ref"].rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(_type(each) for each in part["anyOf"])
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if part.get("type") == "array":
        return f"list of {_type(part['items'])}" if "items" in part else "list"
    if part.get("type") == "object":
        inner = part.get("additionalProperties")
        return f"map to {_type(inner)}" if isinstance(inner, dict) and inner else "map"
    return {"string": "text", "null": "null"}.get(part.get("type", "any"), part.get("type", "any"))


if __name__ == "__main__":
    for path, text in files().items():
        write_text(path, text)
