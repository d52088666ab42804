"""The HTTP service: somebody sends a document and gets its pages back as they are read; and a page to try it."""
