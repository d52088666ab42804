"""The fresh model of the server's tests serves here too."""

from ..serve.conftest import model_folder

__all__ = ["model_folder"]
