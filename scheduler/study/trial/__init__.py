"""One policy from a file beside the built-in ones, on suites of worlds: what `exaburst try` does.

Read `trial.py` first. `confined.py` runs a policy in a process of its own, which `watch.py` keeps from the
clock, files and what the engine hides; `suites.py` has the worlds.
"""
