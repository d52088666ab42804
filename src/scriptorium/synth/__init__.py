"""Generated pages: a document tree, its truth, its drawing and its tests, all from one seed."""
