"""A fleet that feeds itself: clips, campaigns, releases, and fewer interventions.

Read `loop.py` first; `road.py` is what the fleet drives with, `releases.py` what is logged of each campaign.
"""
