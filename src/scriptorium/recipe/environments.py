"""The files in `envs/`, one per engine: extras from pyproject.toml, versions from requirements.lock.

python -m scriptorium.recipe.environments
"""

import re
import tomllib
from pathlib import Path

from scriptorium.errors import ConfigError
from scriptorium.files import write_text

ROOT = Path(__file__).parents[3]

ENVIRONMENTS = {
    "data": ("synth", "hub", "remote"),
    "train": ("train", "hub"),
    "grpo": ("train", "hub"),
    "serve": ("serve", "hub", "remote"),
    "quantize": ("quantize",),
    "bench": ("report",),
}
"""Environment -> extras of the package, besides what every install has."""

COMPRESS = (
    "llmcompressor==0.14.*",
    "httpx",
    "isal",
    "numpy",
    "pillow",
    "psutil",
    "pydantic",
    "pyyaml",
    "rich",
)
"""envs/compress.yaml: llm-compressor chooses the versions of all it needs, which are not those of the lock."""

HEAD = """\
# Written by `python -m scriptorium.recipe.environments` from the lock; do not edit.
channels:
  - conda-forge
dependencies:
  - python =3.11
  - pip
  - pip:
"""


def environment(extras: tuple[str, ...], project: str, lock: str) -> str:
    """The text of one environment file. Raises ConfigError for a requirement that the lock does not name."""
    table = tomllib.loads(project)["project"]
    wanted = [
        *table["dependencies"],
        *(each for extra in extras for each in table["optional-dependencies"][extra]),
    ]
    versions = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.M))
    pins = set()
    for requirement in wanted:
        name, options = re.match(r"([\w.-]+)(\[[\w,.-]+\])?", requirement).groups("")  # type: ignore[union-attr]
        if canonical(name) not in versions:
            raise ConfigError(f"requirements.lock: {name} is missing; freeze it anew")
        pins.add(f"{canonical(name)}{options}=={versions[canonical(name)]}")
    return HEAD + "".join(f"      - {pin}\n" for pin in sorted(pins))


def canonical(name: str) -> str:
    """A distribution's name as the lock has it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def files() -> dict[Path, str]:
    """Every file of `envs/` and its text."""
    project, lock = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("pyproject.toml", "requirements.lock")
    )
    compress = HEAD.replace("from the lock", "without the lock") + "".join(
        f"      - {each}\n" for each in COMPRESS
    )
    return {ROOT / "envs" / "compress.yaml": compress} | {
        ROOT / "envs" / f"{name}.yaml": environment(extras, project, lock)
        for name, extras in ENVIRONMENTS.items()
    }


if __name__ == "__main__":
    for path, text in files().items():
        write_text(path, text)
