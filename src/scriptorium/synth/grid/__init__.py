"""Small pages on a grid of characters, for models that learn to read from nothing: `lines` and `primer`."""
