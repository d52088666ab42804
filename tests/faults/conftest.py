"""The fault suite: the short form runs with the other tests, all of it with `-m "faults or not faults"`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from . import world


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests marked `faults` out unless -m speaks of them."""
    if "faults" not in config.option.markexpr:
        long = [item for item in items if item.get_closest_marker("faults")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


@dataclass(frozen=True)
class Truth:
    """A corpus and what an undisturbed run makes of it."""

    corpus: Path
    out: Path
    pages: int
    outputs: dict[str, bytes]


@pytest.fixture(scope="session")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    """Twelve documents of one to five pages, converted without a fault."""
    folder = tmp_path_factory.mktemp("undisturbed")
    corpus = world.make_corpus(folder / "corpus", documents=12, pages=5)
    with world.FaultyServer() as server:
        run = world.convert(corpus, folder / "out", server.url)
        asked = server.told()
    assert run.code == 0, run.err
    assert set(asked["answered"].values()) == {1}
    return Truth(corpus, folder / "out", len(asked["answered"]), world.outputs(folder / "out"))


@pytest.fixture
def server() -> Iterator[world.FaultyServer]:
    """A server without a fault so far."""
    with world.FaultyServer() as running:
        yield running
