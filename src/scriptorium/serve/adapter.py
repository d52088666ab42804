"""What the weights of one model family expect of whoever serves and asks them."""

import difflib
import hashlib
import json
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scriptorium.errors import ConfigError
from scriptorium.files import write_json
from scriptorium.pages.drawing import Drawing

FOLDER = Path("config/models")
CHECKOUT = Path(__file__).parents[3]
INSTALLED = Path(sys.prefix) / "share" / "scriptorium" / "models"
"""Where `pip install` puts the adapters (pyproject.toml, data-files)."""
FOLDERS = (FOLDER, CHECKOUT / FOLDER, INSTALLED)
SERVER_ADAPTER = "qwen2.5-vl"
"""The model adapter for a server, unless another is named."""


class Adapter(BaseModel):
    """One file of `config/models`: prompt, image size, parser, attempts and engine of a model family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    prompt: str
    image_side: int = Field(gt=0, description="longest side of the page image, pixels")
    max_scale: float | None = Field(
        default=None, gt=0, description="pixels a point at most: small pages are not enlarged beyond it"
    )
    renderer: Literal["pypdfium2", "poppler"] = Field(
        default="pypdfium2", description="what draws a page first"
    )
    page_box: Literal["crop", "media"] = Field(
        default="crop", description="what of a page is drawn: what a reader sees, or the whole sheet"
    )
    text_layer: Literal["fallback", "prefer", "never"] = Field(
        default="fallback",
        description="where a page's own text stands in for the model: if that gave up, wherever it is good, nowhere",
    )
    max_tokens: int = Field(gt=0, description="tokens an answer may have")
    parser: Literal["front_matter", "markdown", "dots"] = "front_matter"
    boxes: Literal["none", "pixels", "thousandths", "unknown"] = Field(
        default="none",
        description="space of the boxes in an answer: pixels of the image as sent, thousandths of its sides, "
        "or unknown (boxes that fit no image that was sent)",
    )
    image_first: bool = Field(default=False, description="the image before the prompt")
    fields: dict[str, Any] = Field(default_factory=dict, description="more fields of each request")
    options: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="more options of the engine, without the two dashes"
    )
    temperatures: list[float] = Field(min_length=1, description="sampling temperature of each attempt")
    context: int = Field(gt=0, description="tokens of prompt, image and answer together")
    engine: Literal["transformers", "vllm"]
    family: str
    released: list[str] = Field(
        default_factory=list, description="published weights that need it: org/name, * for any ending"
    )
    min_pixels: int | None = Field(default=None, description="lower bound of the processor, pixels")
    max_pixels: int | None = Field(default=None, description="upper bound of the processor, pixels")
    guided_regex: str | None = Field(
        default=None, description="what an answer must match, if the server can hold the model to it"
    )

    @property
    def drawing(self) -> Drawing:
        """How pages are drawn for these weights."""
        return Drawing(self.renderer, self.page_box)

    @property
    def pixel_bounds(self) -> dict[str, int]:
        """The bounds that vLLM's processor is given, by their names there: it makes an image fit them."""
        bounds = {"min_pixels": self.min_pixels, "max_pixels": self.max_pixels}
        return {name: value for name, value in bounds.items() if value is not None}

    @property
    def prompt_sha256(self) -> str:
        """SHA-256 of the prompt's UTF-8 bytes, in hex."""
        return hashlib.sha256(self.prompt.encode()).hexdigest()


def drawn_with(adapter: Adapter, engine: str = "", box: str = "") -> Adapter:
    """The adapter with pages drawn by another engine or of another box; its own where none is named.

    Raises ConfigError for a name that is none.
    """
    chosen = Drawing(engine or adapter.renderer, box or adapter.page_box)
    return adapter.model_copy(update={"renderer": chosen.engine, "page_box": chosen.box})


def message_content(prompt: str, image: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of the user's message: the prompt, then `image` (a part as the caller's library wants it).

    One order for training and serving. Text first lets a server cache the prefix. No prompt is no part: an
    empty one is a text too, and weights that were trained on the image alone may answer to it.
    """
    return [{"type": "text", "text": prompt}, image] if prompt else [image]


def names() -> list[str]:
    """The names of the adapters that are there."""
    return sorted({path.stem for folder in FOLDERS for path in folder.glob("*.yaml")})


def load(name: str) -> Adapter:
    """The adapter `config/models/<name>.yaml`, or the one in the file `name` if that ends in .yaml.

    Raises ConfigError for an unknown name, an unknown key or a value of the wrong type.
    """
    path = find(name)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, found {type(values).__name__}")
    try:
        return Adapter.model_validate({"name": path.stem, **values})
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {describe(fault)}" for fault in error.errors())) from error


def find(name: str) -> Path:
    """The file of the adapter `name`: a path as given, else beside the Snakefile, else in the checkout."""
    if name.endswith((".yaml", ".yml")):
        if Path(name).is_file():
            return Path(name)
        raise ConfigError(f"model adapter {name}: no such file")
    for folder in FOLDERS:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise ConfigError(
        f"model adapter {name!r}: no {FOLDER}/{name}.yaml; there are: {', '.join(names()) or 'none'}"
    )


def describe(fault: Any) -> str:
    """One validation fault of pydantic in words; an unknown key names the nearest known one."""
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{key}: {fault['msg']}, found {fault['input']!r}"
    near = difflib.get_close_matches(key, Adapter.model_fields, n=1)
    return f"{key}: unknown key" + (
        f", did you mean {near[0]}?" if near else f"; known: {', '.join(Adapter.model_fields)}"
    )


def adapter_of(model: str) -> str:
    """The name of the adapter that a model was made with: its folder says it, or it is a released one that is known.

    For a server (`model` is empty) the usual one. Raises ConfigError where neither says it: another family's prompt
    gives poor text without a word.
    """
    if not model:
        return SERVER_ADAPTER
    prompt = Path(model) / "prompt.json"
    if prompt.is_file():
        return json.loads(prompt.read_text(encoding="utf-8"))["adapter"]
    released = model.removeprefix("hub:").partition("@")[0]
    for name in names():
        if any(fnmatch(released, pattern) for pattern in load(name).released):
            return name
    raise ConfigError(
        f"model {model}: nothing says which adapter it needs; name it by --adapter: {', '.join(names())}"
    )


def check_prompt(model: str, adapter: Adapter) -> None:
    """Raises ConfigError where a model's folder names this adapter and was trained with another prompt than it has."""
    path = Path(model) / "prompt.json"
    if model.startswith("hub:") or not path.is_file():
        return
    trained = json.loads(path.read_text(encoding="utf-8"))
    if trained["adapter"] == adapter.name and trained["sha256"] != adapter.prompt_sha256:
        raise ConfigError(
            f"{path}: the model was trained with another prompt (sha256 {trained['sha256'][:12]}) than adapter "
            f"{adapter.name} has now ({adapter.prompt_sha256[:12]}): put the prompt back, give the new one to an "
            "adapter of another name, or train anew"
        )


def write_prompt(folder: Path, adapter: Adapter) -> None:
    """Write `prompt.json` into a model folder: which adapter and prompt its weights were trained with."""
    write_json(
        folder / "prompt.json",
        {"adapter": adapter.name, "prompt": adapter.prompt, "sha256": adapter.prompt_sha256},
    )
