"""What may be said for an option of the outputs, by a config or on a command line."""

from typing import Literal

Format = Literal["dolma", "markdown", "html", "text", "json", "parquet"]
Marks = Literal["none", "blank", "comment", "number"]
Failed = Literal["keep", "mark", "drop"]
Compression = Literal["none", "gz", "zst"]
