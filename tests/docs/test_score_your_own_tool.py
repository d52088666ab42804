"""The five minutes of the how-to, as it writes them, for the tool that every machine has: the text layer."""

import shutil
import subprocess
import sys
from pathlib import Path

from .test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "score-your-own-tool.md"


def test_the_commands_give_the_output_shown(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples" / "bench", tmp_path / "my-bench")
    (tmp_path / "my-bench" / "candidates.yaml").write_text(blocks(PAGE, "yaml")[0], encoding="utf-8")

    def scriptorium(*words: str) -> str:
        command = [sys.executable, "-c", "from scriptorium.cli import main; main()", "bench", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = "\n".join(blocks(PAGE, "text")).splitlines()
    assert scriptorium("lint", "my-bench").strip() in shown
    assert scriptorium("convert", "my-bench", "--only", "text_layer").strip() in shown
    printed = [line.rstrip() for line in scriptorium("score", "my-bench").splitlines()]
    rows = [line for line in shown if line.startswith(("text_layer ", "("))]
    assert len(rows) == 5 and set(rows) <= set(printed)
    scriptorium("report", "my-bench", "--out", "my-report")
    assert (tmp_path / "my-report" / "index.html").is_file()
