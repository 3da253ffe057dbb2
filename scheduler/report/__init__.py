"""Runs as tables for a reader."""
