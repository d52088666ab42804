"""Draw the lineage of a recipe's models as a picture for the documentation.

python docs/pictures/draw.py tiny docs/pictures/tiny.svg
"""

import sys
from pathlib import Path

from scriptorium.recipe.plan import make_plan
from scriptorium.recipe.recipe import load
from scriptorium.report.lineage import draw
from scriptorium.report.results import RunRecord

STYLE = """
svg { font: 12px system-ui, sans-serif; fill: #24221f; }
rect { fill: #f3f0e9; stroke: #cfc9bd; }
.pretrain rect, .sft rect { stroke: #c4711f; } .grpo rect { stroke: #2f6aa8; } .merge rect { stroke: #2f8589; }
.soup rect { stroke: #3f8a55; } .quantize rect { stroke: #83589f; }
.name { font-size: 13px; font-weight: 600; } .tick, .data { fill: #6b665e; font-size: 11px; }
.arrow, .feed { fill: none; stroke: #8d877c; stroke-width: 1.2; } .tip { fill: #8d877c; }
@media (prefers-color-scheme: dark) {
  svg { fill: #e6e3dd; } rect { fill: #282b2e; stroke: #4a4e52; } .tick, .data { fill: #a09b92; }
}
"""


def main(recipe: str, out: str) -> None:
    """Write the picture of the recipe `recipe` to `out`."""
    plan = make_plan(load(recipe))
    runs = {name: RunRecord(name, run.model_dump(mode="json")) for name, run in plan.items()}
    drawing = str(draw({}, runs, "")).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    head, _, rest = drawing.partition(">")
    Path(out).write_text(f"{head}><style>{STYLE}</style>{rest}\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
