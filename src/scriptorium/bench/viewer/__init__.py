"""What the report and the review app show alike: a page's picture, and its text with marks (static files)."""

from pathlib import Path

STATIC = Path(__file__).parent
"""The folder of page_view.css and page_view.js; an app serves them as they are, a report copies them."""

FILES = ("page_view.css", "page_view.js")
