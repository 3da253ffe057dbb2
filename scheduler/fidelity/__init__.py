"""How close a simulation comes to the record of a log, and which rules that it lacks would explain the rest.

Read `answer.py` first. `comparison` holds two runs against each other, `recorded` says where the waits of
the record went, `rules` and its neighbours look for rules in it, and `trials` runs the scenario with each.
"""
