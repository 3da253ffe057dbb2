"""How the run of a lane lies in memory: one array of integers, in which a record is where it begins.

So `memory[job + RANK]` is the rank of a job, and a function is handed one array, not forty: numba passes an
array as seven numbers, which cost more than what most functions do. The names below are places in a record.
"""

from __future__ import annotations

NONE = 0
"""Where no record begins, as the run's own stands there."""
ABSENT = 2**62
"""Of an instant, never; in a tree of least estimates, nobody; of a score, not wanted."""

# Of the run. Counters:
NOW, WAITING, ARRIVED, NEW_FROM, CHANGED, OFFERS_DUE = range(6)
"""The present second; how many wait; the next job to arrive, and the first newcomer; whether a pass is due,
and one over the offers."""
ENDS, RINGS, KEPT, STARTED, ROWS, ASIDE = range(6, 12)
"""How many attempts run, patiences last, offers are kept, attempts there were, rows are to be logged, and
jobs stand aside."""
HEAD, HELD_FOR, SHADOW, RESERVED, SPARE = range(12, 17)
"""The first who waits for pods, if known; for whom there is a reservation, and what it is."""
# Rules:
BACKFILL, PLACE, BEGINS, HORIZON, TIES, ROOM = range(17, 23)
"""The line-up and the place; when the run begins and ends; by what instants are multiplied to leave room for
a number that breaks ties; and how many rows can be kept."""
# Where tables begin, and end:
JOBS, JOBS_END, LINES, RENTED_LINES, LINES_END = range(23, 28)
"""Jobs in order of their rows; lines of those who wait for pods, then of those who seek offers."""
BY_RANK, BY_NUMBER, END_HEAP, RING_HEAP, KEPT_HEAP, ASIDE_LIST, ROW_LIST = range(28, 35)
"""Jobs by rank, and by the number of their attempt; heaps of attempts by end, patiences by end, and jobs
whose devices are kept; jobs that want none of the offers with room; what the log is to take."""
RUN_SIZE = 40

# Of a job.
SUBMIT, ESTIMATE, RANK, PATIENCE = range(4)
"""Its patience is NEVER_BURSTS, 0 for none, or seconds."""
LINE, LEAF, RENTED_LINE, RENTED_LEAF = range(4, 8)
"""Where it stands while it waits for pods, and while it seeks offers; NONE where it never does."""
STAGING, CASE, ROW, WAITS = range(8, 12)
"""Which of the seconds to begin on an offer, and of the scores, are its own; its row; whether it waits."""
NEED, POD, ALLOC, READY = range(12, 16)
"""Of its attempt: what it takes, the pod if any, since when, and after how many seconds work begins."""
RELEASE = 16
"""When it should end."""
JOB_SIZE = 17
NEVER_BURSTS = -1

# Of a line.
COUNT, FIRST_THERE, NEEDS, NEEDS_END, MEMBERS, TOP, LEVELS = range(7)
"""How many stand there; the first of them, if known; its needs; jobs by leaf; the number of the highest level
of its tree, and where each level begins."""
LINE_SIZE = LEVELS + 10

# Of a need.
PLACE_OF, DEVICES, USED, COLUMN, RUNS, ESTIMATES, NUMBER = range(7)
"""A pool or an offer; devices held, and used; the column of states.parquet; run times and estimates there, by
row; and its number."""
NEED_SIZE = 7

# Of a pod and of an offer.
FREE = 0
DUES, DUE_LIST, NUMBER_OF_POD = range(1, 4)
"""How many gangs should end, when and with how many devices, ascending; its number in the pool."""
POD_SIZE = 4
KEEP, BEGIN, SCORES = range(1, 4)
"""For how long devices are kept; seconds to begin, by case; and scores, by case."""
OFFER_SIZE = 4

# Of a pool.
PODS, PODS_END, TREES, LENGTH, TREE_TOP, MOST, TREE_LEVELS = range(7)
"""Its pods. Of many pods, trees by count of free devices that say how many have so many: where they begin,
NONE where there are few pods; the length of one; its highest level; the most free devices; where its
levels begin."""
POOL_SIZE = TREE_LEVELS + 10

BRANCHES = 16
"""Children of a node of any tree."""

STRICT, GREEDY, EASY = range(3)
"""Backfills."""
BEST, WORST, FIRST = range(3)
"""Places."""
