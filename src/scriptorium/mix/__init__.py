"""Pages and their truth: gathered into single-page pairs, then rendered to training rows."""
