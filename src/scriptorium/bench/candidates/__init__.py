"""Candidates made here: what they are made with, and how a page is read."""
