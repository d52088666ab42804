"""A page as the judges read it: its text view, its tables, blocks, links and formulas."""
