"""Caches of the tests' own: a run neither leans on what another left behind nor adds to it."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCRIPTORIUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
