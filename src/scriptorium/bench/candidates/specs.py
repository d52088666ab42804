"""What a candidate is made with: the typed specs of `candidates.yaml`, and the record of them in its folder."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from scriptorium.bench.dialects import DIALECTS, unknown
from scriptorium.errors import ConfigError, nearest
from scriptorium.files import sha256_json
from scriptorium.serve.endpoint import KEY_VARIABLE

RECORD = "candidate.json"
"""The file in a candidate's folder that says what it was made with."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SHELL = ("|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1")
PLACEHOLDERS = ("pdf", "page", "image", "out")
PROMPT = (
    "Write down the text of this page as Markdown, in the order in which a person reads it. Write formulas as "
    "LaTeX between $ or $$ and tables as HTML. Leave out page headers, page footers and page numbers. "
    "Give only the text."
)


class Spec(BaseModel):
    """What every candidate has. The fields in `ways` shape how it is made, not what its texts say."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    ways: ClassVar[set[str]] = {"repeats"}

    source: str
    dialect: str = Field(default="markdown", description="output adapter that makes Markdown of the answers")
    repeats: int = Field(default=1, ge=1, description="independent texts of each page")
    version: str = Field(default="", description="whatever tells releases of the tool apart; recorded")

    @field_validator("dialect")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in DIALECTS:
            raise ValueError(unknown(name))
        return name

    def settings(self) -> dict[str, Any]:
        """What shapes the texts, the dialect's version included."""
        dialect = {"name": self.dialect, "version": DIALECTS[self.dialect].VERSION}
        return self.model_dump(exclude=self.ways) | {"dialect": dialect}


class ServerSpec(Spec):
    """Any server that speaks OpenAI's chat protocol; one request a page, its answer as it comes."""

    ways: ClassVar[set[str]] = {
        "repeats", "prompt_file", "key_variable", "timeout", "retries", "patience", "concurrency"
    }  # fmt: skip

    source: Literal["server"]
    url: str = Field(pattern=r"^https?://", description="base URL; /v1 is added where it has no path")
    model: str = Field(default="", description="name of the model; by default the first that is listed")
    key_variable: str = Field(default=KEY_VARIABLE, description="environment variable that holds the key")
    prompt: str = PROMPT
    prompt_file: Path | None = Field(default=None, description="file of the prompt, beside candidates.yaml")
    image_first: bool = Field(default=False, description="send the image before the prompt")
    image_side: int = Field(default=1288, gt=0, description="longest side of the page image, pixels")
    max_tokens: int = Field(default=8000, gt=0)
    temperature: float = Field(default=0.0, ge=0)
    fields: dict[str, Any] = Field(
        default_factory=dict, description="more fields of the request; null takes one out"
    )
    timeout: float = Field(default=600.0, gt=0, description="seconds that one answer may take")
    retries: int = Field(default=2, ge=0, description="tries more of a page on which the server fails")
    patience: float = Field(default=600.0, gt=0, description="seconds to wait for a server that is away")
    concurrency: int = Field(default=16, gt=0, description="requests in flight")

    @field_validator("url")
    @classmethod
    def _without_key(cls, url: str) -> str:
        if "@" in urlsplit(url).netloc:
            raise ValueError("holds a password, which would be recorded; use key_variable")
        return url


class ModelSpec(Spec):
    """Our own conversion: a model folder, `hub:org/name@revision` or a URL, read as its adapter says."""

    ways: ClassVar[set[str]] = {"repeats", "threads"}

    source: Literal["model"]
    model: str
    adapter: str = Field(default="", description="model adapter; by default the one the model was made with")
    threads: int = Field(default=2, gt=0, description="CPU threads of the server that is started")


class TextLayerSpec(Spec):
    """The text that the PDF itself holds."""

    source: Literal["text-layer"]


class CommandSpec(Spec):
    """Any other tool, started once for each page without a shell."""

    ways: ClassVar[set[str]] = {"repeats", "timeout", "concurrency"}

    source: Literal["command"]
    command: str = Field(description="words with {pdf} or {image}, and as need be {page} and {out}")
    output: str = Field(default="", description="pattern of the file below {out}; empty is standard output")
    image_side: int = Field(default=2048, gt=0, description="longest side of {image}, pixels")
    timeout: float = Field(default=600.0, gt=0, description="seconds for one page")
    concurrency: int = Field(default=1, gt=0, description="commands at once")

    @field_validator("command")
    @classmethod
    def _usable(cls, command: str) -> str:
        try:
            words = shlex.split(command)
        except ValueError as error:
            raise ValueError(f"cannot be split into words ({error}): {command!r}") from error
        if shell := [word for word in words if word in SHELL]:
            raise ValueError(f"{shell[0]!r} is a shell's, and no shell runs: write sh -c '...' around it")
        found = {name for word in words for name in PLACEHOLDER.findall(word)}
        if wrong := sorted(found - set(PLACEHOLDERS)):
            raise ValueError(f"unknown placeholder {{{wrong[0]}}}; known: {', '.join(PLACEHOLDERS)}")
        if not found & {"pdf", "image"}:
            raise ValueError(f"neither {{pdf}} nor {{image}} in {command!r}")
        return command


AnySpec = ServerSpec | ModelSpec | TextLayerSpec | CommandSpec
SPECS: dict[str, type[Spec]] = {
    "server": ServerSpec, "model": ModelSpec, "text-layer": TextLayerSpec, "command": CommandSpec
}  # fmt: skip
_SPEC: TypeAdapter[AnySpec] = TypeAdapter(Annotated[AnySpec, Field(discriminator="source")])


def read_candidates(path: Path) -> dict[str, AnySpec]:
    """The candidates of a YAML file, `<name>: {source: ..., ...}` each. Raises ConfigError."""
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Unique)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict) or not values:
        raise ConfigError(f"{path}: expected candidates, `<name>: {{source: ...}}` each, found {values!r}")
    return {str(name): parse(str(name), spec, str(path), path.parent) for name, spec in values.items()}


class _Unique(yaml.SafeLoader):
    """Refuses a key that stands twice: the second of two candidates of one name would hide the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def parse(name: str, values: Any, where: str, folder: Path = Path()) -> AnySpec:
    """The spec of one candidate; `where` names its file, `folder` is where its prompt file is looked for.

    Raises ConfigError, one line a fault.
    """
    check_name(name, where)
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: {name}: expected a mapping of keys, found {values!r}")
    if values.get("source") not in SPECS:
        raise ConfigError(f"{where}: {name}.source: {values.get('source')!r}; known: {', '.join(SPECS)}")
    try:
        spec = _SPEC.validate_python(dict(values))
    except ValidationError as error:
        faults = [_describe(fault, SPECS[values["source"]]) for fault in error.errors()]
        raise ConfigError("\n".join(f"{where}: {name}.{fault}" for fault in faults)) from error
    if isinstance(spec, ServerSpec) and spec.prompt_file is not None:
        return spec.model_copy(update={"prompt": _prompt(folder / spec.prompt_file, values, where, name)})
    return spec


def check_name(name: str, where: str) -> None:
    """Raise ConfigError for a name that cannot be a candidate's folder."""
    if not NAME.fullmatch(name) or name == "pdfs":
        raise ConfigError(
            f"{where}: {name!r} cannot be the name of a candidate: letters, digits, '.', '_' and '-', not pdfs"
        )


def digest(settings: Mapping[str, Any]) -> str:
    """What stands for settings in a sidecar: the SHA-256 of their canonical JSON, in hex."""
    return sha256_json(dict(settings))


def _prompt(path: Path, values: Mapping[str, Any], where: str, name: str) -> str:
    if "prompt" in values:
        raise ConfigError(f"{where}: {name}: prompt and prompt_file; give one of them")
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where}: {name}.prompt_file: {path} cannot be read: {error}") from error


def _describe(fault: Any, kind: type[Spec]) -> str:
    key = ".".join(str(part) for part in fault["loc"][1:])
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key; {nearest(key, kind.model_fields)}"
    if fault["type"] == "missing":
        return f"{key}: missing"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" + ("" if fault["type"] == "value_error" else f", found {fault['input']!r}")
