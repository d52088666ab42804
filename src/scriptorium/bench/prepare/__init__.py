"""Benches and candidates made of others: each command writes something new and leaves its source as it is."""
