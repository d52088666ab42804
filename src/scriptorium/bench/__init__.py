"""Unit tests of pages: what they are, how a text is judged by them, and how a candidate is scored."""
