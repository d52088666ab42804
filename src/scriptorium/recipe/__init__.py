"""Typed config and recipes, and the plan of runs a recipe makes. No Snakemake in here."""
