"""Archives, images and locked documents all the way to the outputs; one that goes away stays pending."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from scriptorium.convert.plan import plan_corpus, read_plan
from scriptorium.convert.report import write_report
from scriptorium.convert.shard import PARTIAL, convert_shard
from scriptorium.errors import PartialError
from scriptorium.pages.front_matter import FrontMatter, encode
from scriptorium.serve.adapter import load

from ..serve.scripted import ScriptedServer, answer, in_turn
from .samples import image_files, pdf, tarred, write

GOOD = answer(encode(FrontMatter(), "What the page says."))


def test_every_kind_of_input_is_read_and_none_is_lost(tmp_path: Path) -> None:
    pages = image_files()
    folder = write(
        tmp_path / "in", {"t.tar": tarred({"a/x": pages["tiff"], "b/x": pages["png"]}), "g.bin": pages["gif"]}
    )
    (tmp_path / "locked.pdf").write_bytes(pdf(1, 200, "secret"))
    row = {"source": str(tmp_path / "locked.pdf"), "id": "7", "password": "secret"}
    (tmp_path / "m").write_text(json.dumps(row))
    plan = tmp_path / "plan.parquet"
    plan_corpus([str(folder), str(tmp_path / "m")], 1, plan)
    rows = read_plan(plan)
    assert [(r["member"], r["page"]) for r in rows] == [
        ("", 1),
        ("a/x", 1),
        ("a/x", 2),
        ("a/x", 3),
        ("b/x", 1),
        ("", 1),
    ]
    data = (folder / "g.bin").read_bytes()
    (folder / "g.bin").unlink()
    store, out, cache = tmp_path / "store", tmp_path / "0.json", tmp_path / "cache"
    with ScriptedServer(in_turn(GOOD)) as server:
        for expected in ({"blank": 1, "ok": 4, "pending": 1}, {"blank": 1, "ok": 5}):
            done = (
                nullcontext() if "pending" not in expected else pytest.raises(PartialError, match=r"g\.bin")
            )
            with done:
                convert_shard(plan, 0, server.url, load("tiny"), 1, store, out, cache)
            receipt = out.with_suffix(PARTIAL) if "pending" in expected else out
            report = write_report(plan, store, [receipt], tmp_path / "report.json")
            assert report["statuses"] == expected
            (folder / "g.bin").write_bytes(data)  # it is back
        assert len(server.requests) == 5
    assert report["files"] == 4
    assert b"secret" not in b"".join(p.read_bytes() for p in tmp_path.rglob("*.json*"))
