"""An OpenAI-compatible server's life, model adapters, the one client, and the one way to read a page."""

import sys
from typing import Any, cast

if "httpx" not in sys.modules:
    # httpx imports a command line of its own, with rich and Markdown, where their packages are there: half of
    # the time to the first request. It does without where they are not, and so it does with this.
    cast(dict[str, Any], sys.modules)["httpx._main"] = None
