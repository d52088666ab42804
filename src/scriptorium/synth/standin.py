"""Stand-in until scriptorium.pages.front_matter is there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FrontMatter:
    """Front matter."""

    is_table: bool = False


def encode(front: FrontMatter, text: str) -> str:
    """Front matter and text."""
    head = "---\nprimary_language: en\nis_rotation_valid: True\nrotation_correction: 0\n"
    return f"{head}is_table: {front.is_table}\nis_diagram: False\n---\n{text}"
