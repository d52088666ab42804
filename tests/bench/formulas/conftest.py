"""Formula tests keep what they render in a folder of their own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache: one for all these tests, so that nothing is rendered twice."""
    folder = tmp_path_factory.getbasetemp() / "formula-cache"
    monkeypatch.setenv("SCRIPTORIUM_CACHE", str(folder))
    return folder
