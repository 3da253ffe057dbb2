"""A study file: every cell once, and its results."""
