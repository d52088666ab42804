"""The formulas of a page: found, rendered without a browser, and compared by look or by structure."""
