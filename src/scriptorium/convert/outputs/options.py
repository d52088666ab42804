"""What a person may choose about the outputs. Options are no part of a page's key: changing one costs no inference."""

import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_serializer, field_validator

from scriptorium.convert.filters import Filters, as_told
from scriptorium.convert.filters import parse as parse_filters
from scriptorium.convert.outputs.choices import Compression, Failed, Format, Marks
from scriptorium.errors import ConfigError, nearest


class Options(BaseModel):
    """How the outputs are written. The same plan, store and options give the same bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    formats: tuple[Format, ...] = Field(default=("dolma", "markdown"))
    failed: Failed = Field(
        default="mark",
        description="pages without a text: left out, marked where they were, or their documents dropped",
    )
    failed_budget: float = Field(
        default=0.0, ge=0, le=1, description="with drop: the share of failed pages that a document may have"
    )
    join: bool = Field(
        default=False, description="paragraphs and tables that go on over a page break become one"
    )
    marks: Marks = Field(default="blank", description="what stands between two pages of Markdown")
    front_matter: bool = Field(default=False, description="a head before each Markdown document")
    compression: Compression | None = Field(
        default=None, description="of Dolma files; null is gz, or none for those in olmOCR's layout"
    )
    dolma_compat: bool = Field(default=False, description="Dolma records with olmOCR's keys and no others")
    filters: Filters = Field(
        default=Filters(), description="documents and pages to leave out, as `--filter` takes them"
    )
    date: str = Field(
        default="1970-01-01",
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        description="`added` and `created` of records in olmOCR's layout: given, so that bytes repeat",
    )

    @field_validator("filters", mode="before")
    @classmethod
    def _as_told(cls, told: Any) -> Any:
        try:
            return (
                parse_filters([told] if isinstance(told, str) else told)
                if isinstance(told, str | list)
                else told
            )
        except ConfigError as error:
            raise ValueError(str(error)) from error

    @field_serializer("filters")
    def _to_tell(self, filters: Filters) -> list[str]:
        return as_told(filters)

    @field_validator("date")
    @classmethod
    def _of_the_calendar(cls, told: str) -> str:
        datetime.date.fromisoformat(told)
        return told

    @field_validator("formats")
    @classmethod
    def _each_once(cls, formats: tuple[Format, ...]) -> tuple[Format, ...]:
        if not formats:
            raise ValueError("no format; name one at least")
        return tuple(dict.fromkeys(formats))


def parse(values: dict[str, Any], where: str) -> Options:
    """`values` as options; None stands for the default. Raises ConfigError that names `where` and the key."""
    try:
        return Options.model_validate({key: value for key, value in values.items() if value is not None})
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {_told(fault)}" for fault in error.errors())) from error


def _told(fault: Any) -> str:
    key, kind = ".".join(map(str, fault["loc"])), fault["type"]
    if kind == "extra_forbidden":
        return f"{key}: unknown key; {nearest(key, Options.model_fields)}"
    found = "" if kind == "value_error" else f", found {fault['input']!r}"
    return f"{key}: {fault['msg'].removeprefix('Value error, ')}{found}"
