"""Finished weights into other finished weights: adapters merged, checkpoints averaged, models quantised."""
