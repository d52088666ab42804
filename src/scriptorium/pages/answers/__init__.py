"""Answers of models that write a page in a form of their own, and the pieces such forms are made of."""
