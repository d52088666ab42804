"""The model folder that the tests start from."""

from pathlib import Path

import pytest

from .tiny import make_network, save


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with tied embeddings."""
    return save(make_network(0), tmp_path_factory.mktemp("base") / "model")
