"""Quotas of queues: who is admitted to the line-up for pods, and who gives way so that others are.

Read `entrance.py` first, then `admission.py`; `holders.py` chooses who gives way. The sums of the tree are in
`scheduler/policy/quota_tree.py`.
"""
