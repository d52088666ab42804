"""Whole folders of PDFs to text: plan, shard workers, outputs, report."""
