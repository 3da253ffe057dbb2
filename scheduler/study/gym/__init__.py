"""The engine as a Gymnasium environment: somebody else decides who starts, and where.

Read `cluster_env.py` first. `stepping.py` moves the engine from decision to decision, `window.py` has who
waits, in columns, `rewards.py` what a step is worth.
"""
