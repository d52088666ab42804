"""Pages of the family primer and their tests, over many seeds: true of the truth, false of wrong readings."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from scriptorium.bench.rules import RULES, judge_page
from scriptorium.bench.tests import check_test
from scriptorium.synth.grid import lines, primer
from scriptorium.synth.grid.document import (
    Heading,
    Page,
    PageNumber,
    Paragraph,
    RunningHeader,
    Table,
    segments,
)
from scriptorium.synth.grid.gate import Sample, count_tokens, reject, text_layers
from scriptorium.synth.grid.markdown import body, truth
from scriptorium.synth.grid.tests import Test, make_tests
from scriptorium.synth.grid.typst import Typesetter

TYPESETTER = Typesetter()
SEEDS = st.integers(0, 10**9)
SPLITS = st.sampled_from(["sft", "rl", "bench"])


def drawn(seed: int, split: str = "sft") -> Sample:
    rng = random.Random(seed)
    page = primer.draw(split, 0, rng)
    return Sample(page, tuple(make_tests(page, rng)))


def passed(tests: list[Test], text: str, rules: str) -> list[bool]:
    return [bool(verdict.passed) for verdict in judge_page(tests, text, rules)]


@settings(max_examples=200, deadline=None)
@given(SEEDS, SPLITS)
def test_pages_pass_the_gate(seed: int, split: str) -> None:
    sample = drawn(seed, split)
    (layer,) = text_layers(TYPESETTER.pdf([sample.page]))
    reason = reject(sample, layer)
    assert reason is None or reason.startswith("truth too long")
    assert count_tokens(truth(sample.page)) < 140


@pytest.mark.parametrize("rules", RULES)
def test_tests_pass_on_the_truth_and_fail_on_wrong_readings(rules: str) -> None:
    """Each test of 300 pages against the truth and against the reading that it is there to catch."""
    caught: Counter[str] = Counter()
    for seed in range(300):
        sample = drawn(seed)
        page, tests = sample.page, list(sample.tests)
        text = body(page)
        for test in tests:
            check_test(test | {"pdf": "some.pdf", "page": 1})
        assert all(passed(tests, text, rules)), tests
        furniture = [b.text for b in page.blocks if isinstance(b, RunningHeader | PageNumber)]
        backwards = Page(tuple(_backwards(b) for b in reversed(page.body)))
        wrong = {
            "absent": "\n\n".join([*furniture, text]),
            "present": "",
            "order": body(backwards),
            "format": text.removeprefix("# "),
            "table": body(backwards),
            "baseline": "",
        }
        for test in tests:
            assert passed([test], wrong[test["type"]], rules) == [False], test
            caught[test["type"]] += 1
    assert len(caught) == 6
    assert min(caught.values()) > 80


def _backwards(block: object) -> Heading | Paragraph | Table:
    """The block with its lines in reverse order, a table with its rows and columns."""
    if isinstance(block, Paragraph):
        return Paragraph(tuple(reversed(block.lines)))
    if isinstance(block, Table):
        return Table(tuple(tuple(reversed(row)) for row in reversed(block.rows)), block.starts)
    assert isinstance(block, Heading)
    return block


@settings(max_examples=200, deadline=None)
@given(SEEDS)
def test_the_tests_of_a_page_are_those_that_its_blocks_ask_for(seed: int) -> None:
    sample = drawn(seed)
    count = Counter(test["category"] for test in sample.tests)
    kinds = Counter(type(block) for block in sample.page.blocks)
    assert 2 <= count["text"] <= len(list(segments(sample.page)))
    assert count["order"] == count["baseline"] == 1
    assert count["heading"] == kinds[Heading]
    assert count["table"] == sum(
        len(row) for b in sample.page.body if isinstance(b, Table) for row in b.rows[1:]
    )
    assert count["header_footer"] <= min(1, kinds[RunningHeader] + kinds[PageNumber])
    assert len({test["id"] for test in sample.tests}) == len(sample.tests)
    assert {test["max_diffs"] for test in sample.tests} == {0}


@settings(max_examples=200, deadline=None)
@given(SEEDS, st.sampled_from([primer, lines]))
def test_markdown_reads_the_truth_as_the_tree_says(seed: int, family: object) -> None:
    """No line turns into a list, a heading or a rule by accident."""
    page = family.draw("sft", seed % 5, random.Random(seed))  # type: ignore[attr-defined]
    names = {Heading: "heading_open", Paragraph: "paragraph_open", Table: "html_block"}
    found = [t.type for t in MarkdownIt().parse(body(page)) if t.type in names.values() or "list" in t.type]
    assert found == [names[type(block)] for block in page.body]
    text = body(page)
    assert all(segment in text for segment in segments(page))


def test_shares_of_the_primer_are_those_it_promises() -> None:
    kinds: Counter[type] = Counter()
    for seed in range(2000):
        kinds.update(type(block) for block in drawn(seed).page.blocks)
    for kind, share in {
        RunningHeader: primer.HEADER_SHARE,
        PageNumber: primer.NUMBER_SHARE,
        Heading: primer.HEADING_SHARE,
        Table: primer.TABLE_SHARE,
    }.items():
        assert kinds[kind] / 2000 == pytest.approx(share, abs=0.04)


LINE = Paragraph(("one line", "two line"))


@pytest.mark.parametrize(
    ("page", "layer", "reason"),
    [
        (Page((LINE,)), "one line\r\ntwo line", None),
        (Page((LINE,)), "one line", "not in the text layer: 'two line'"),
        (Page((LINE,), columns=7), "one line two line", "off the grid: 'one line'"),
        (Page((LINE,), rows=1), "one line two line", "off the grid: 'two line'"),
        (Page((LINE, PageNumber("12")), rows=2), "one line two line", "drawn over another text: '- 12 -'"),
        (Page((Paragraph(("x" * 120,)),), columns=120), "x" * 120, "truth too long: 127 tokens"),
    ],
)
def test_the_gate_says_what_is_wrong(page: Page, layer: str, reason: str | None) -> None:
    found = reject(Sample(page, ()), layer)
    assert found == reason if reason is None else found is not None and found.startswith(reason)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ({"type": "present", "text": "three"}, "a test fails on the truth: present"),
        ({"type": "present", "text": "one line"}, None),
        ({"type": "baseline", "max_length": 40}, "a test passes on an empty text: baseline"),
        ({"type": "absent", "text": "three"}, None),
    ],
)
def test_the_gate_tries_the_tests(test: Test, reason: str | None) -> None:
    sample = Sample(Page((LINE,)), ({"id": "x", "category": "text", "max_diffs": 0} | test,))
    found = reject(sample, "one line two line")
    assert found == reason if reason is None else found is not None and found.startswith(reason)
