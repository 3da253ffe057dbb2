"""Small faults put into the code at random, and whether the tests notice: mutation testing.

A mutant is one change of one file: a comparison, a sign, a constant, a connective, a condition turned
round, or a statement left out (`changes`). It meets the tests that reach what was changed (`reach`), those
first that know its file best (`groups`), up to the first that fails or does not end: it is killed (`trial`).
What survives is no fault, and judged so with a reason in `equivalent.toml`, or a test is missing.

    make mutants
    python -m benchmarks.mutants engine --count 50 --seed 7 --only scheduler/policy/backfill.py
"""
