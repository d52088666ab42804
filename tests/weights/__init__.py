"""Tests of the weights room."""
