"""A run as a trace for Perfetto's viewer: a track a pod and an offer, a slice an attempt, and counters.

Read `timeline` first; `counters` says what is counted.
"""
