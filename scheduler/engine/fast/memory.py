"""How the run of a lane lies in memory: one array of integers, in which a record is where it begins.

So `memory[job + RANK]` is the rank of a job, and a function is handed one array, not forty: numba passes an
array as seven numbers, which cost more than what most functions do. The names below are places in a record.
"""

from __future__ import annotations

NONE = 0
"""Where no record begins, as the run's own stands there."""
ABSENT = 2**62
"""Of an instant, never; in a tree of the least, nobody."""
EMPTY = -1
"""Of the instant at which a pod should be empty: it is."""

# Of the run. Counters:
NOW, WAITING, ARRIVED, CHANGED, OFFERS_DUE, ENDED = range(6)
"""The present second; how many wait; the next job to arrive; whether a pass is due, and one over the offers;
and the job whose end may have consequences for others."""
ENDS, RINGS, KEPT, LAGS, NEWCOMERS, STARTED, ROWS, REJECTS, SPANNED, ASIDE = range(6, 16)
"""How many attempts run, patiences last, offers are kept, lags last, jobs became ready in this instant,
attempts there were, rows and rejected jobs are to be logged, integers stand in the list of pods of gangs
across pods, and jobs stand aside."""
HEAD, HELD_FOR, SHADOW, RESERVED, SPARE, RESERVATION, SEVERAL = range(16, 23)
"""The first who waits for pods, if known; for whom there is a reservation, and what it is: from when, the pod
of which the rest is taken, what is spare there, the number that whole pods are stamped with, and whether it
is one of several pods."""
# Rules:
BACKFILL, PLACE, BEGINS, HORIZON, TIE_BITS, ROOM, SPAN_ROOM, GRACE = range(23, 31)
"""The line-up and the place; when the run begins and ends; by how many bits instants are shifted to leave
room for a number that breaks ties; how many rows, and integers of spans, can be kept; and how long a job may
run past its estimate."""
# Where tables begin, and end:
JOBS, JOBS_END, LINES, RENTED_LINES, LINES_END, LINKS = range(31, 37)
"""Jobs in order of their rows; lines of those who wait for pods, then of those who seek offers; and how jobs
depend on each other, by row, NONE where none does."""
BY_RANK, BY_NUMBER, END_HEAP, RING_HEAP, KEPT_HEAP, LAG_HEAP = range(37, 43)
"""Jobs by rank, and attempts by their number; heaps of attempts by end, patiences by end, attempts whose
devices are kept, and jobs that lag behind others."""
NEWCOMER_LIST, ASIDE_LIST, ROW_LIST, REJECT_LIST, SPAN_LIST, SORT_LIST = range(43, 49)
"""Jobs that became ready in this instant, and that want none of the offers with room; what the log is to
take: rows, rejected jobs, and of each gang across pods, its row, how many pods, and which; and where whatever
has to be sorted is, for every pod twice and for every job."""
CHOSEN_LIST, CHOSEN = range(58, 60)
"""The whole pods that are reserved, and how many they are."""
CHANGE, CHANGES_END, ARMED_S, PUT_OFF = range(49, 53)
"""The next change of the pods, and where these end; since when it is known to be the next; and whether it
waits for attempts that end at the same instant."""
PRICES, PRICES_END, PERIOD = range(53, 56)
"""The instants at which prices change, up to which the present period is counted, and where they end; and
the number of the period."""
ASKS, RENTS = range(56, 58)
"""The job whose preference of offers is asked for, and whether a look at who may rent is under way, of those
below."""
WAS_KILLED, PREFERENCES = range(63, 65)
"""Whether the attempt of the job in ENDED was killed; and what jobs prefer, NONE where none is asked."""
RENTERS, VACANT, ATTEMPTS_END = range(60, 63)
"""Jobs that may rent, NONE where none may; a place where an attempt stood that is over, or NONE; and where
those begin at which none ever stood."""
LOOKS = 65
"""How often it has been looked at who may pass the head, or something was reserved in between."""
RUN_SIZE = 66

# Of a job.
SUBMIT, RUNTIME, ESTIMATE, RANK, WAITS = range(5)
"""The last says whether it waits."""
LINE, LEAF = range(5, 7)
"""Where it stands while it waits for pods; NONE where it never does."""
JOB_SIZE = 7

# Of a job that may rent, by row; there is none where no job may.
PATIENCE, RENTED_LINE, RENTED_LEAF = range(3)
"""Seconds, 0 or NEVER_BURSTS; and where it stands while it seeks offers, NONE where it never does."""
STAGING = 3
"""Which of the seconds to begin on an offer are its own."""
RENTER_SIZE = 4
NEVER_BURSTS = -1

# Of an attempt, until its devices may be had by others; the next one begins where an earlier one stood.
JOB, NEED, POD, CHAIN = range(4)
"""Whose it is; what it takes; the pod, if any; and of a gang across pods, the first of its whole ones, which
knows the next. Of a place where no attempt stands, JOB is the next such place, or NONE."""
ALLOC, READY, RELEASE, ORDINAL = range(4, 8)
"""Since when; after how many seconds work begins; when it should end; and how many began before."""
ATTEMPT_SIZE = 8

# Of a job that may have to be asked which offers it prefers, by row; there is none where no job has to be.
PREFERRED_IN, PREFERENCE = range(2)
"""In which period it has said so; and the rank of each, packed as PREFERENCE_BITS say."""
PREFERENCE_SIZE = 2
PREFERENCE_BITS, UNWANTED = 4, 15
"""Of the rank of one offer, the first need's lowest; and the rank of what is not wanted."""

# Of the link of a job to others, where there are any.
PENDING, LAST_END, LAG, WAS_READY, HELD, LOST, FOLLOWERS, FOLLOWERS_END = range(8)
"""How many that it comes after have not finished; when the last of them did; how long after that it is ready;
since when it was; whether it waits for them; whether one of them never will; and where the rows of those
begin and end that come after it."""
LINK_SIZE = 8

# Of a line.
COUNT, FIRST_THERE, NEEDS, NEEDS_END, MEMBERS, PREFERS, LOST_PODS, TOP, LEVELS = range(9)
"""How many stand there; the first of them, if known; its needs; jobs by leaf; whether they have to be asked
which offer they prefer; whether there will never be enough pods again; and its tree: the number of the
highest level, and where each level begins."""
LINE_SIZE = LEVELS + 10

# Of a need.
PLACE_OF, DEVICES, USED, COLUMN, RUNS, ESTIMATES, NUMBER, WHOLE, REST, LONGEST = range(10)
"""A pool or an offer; devices held, and used; the column of states.parquet; run times and estimates there, by
row, NONE where they are those of the trace; its number; how many whole pods it takes, 0 inside one, and
devices of one more; and the longest estimate there."""
NEED_SIZE = 10

# Of a pod and of an offer.
FREE = 0
DUES, DUE_LIST, NUMBER_OF_POD, NEXT, STAMP, SHORT_FOR = range(1, 7)
"""How many gangs should end, when and with how many devices, ascending; its number in the pool; the next pod
that the gang on it has whole; and the numbers of the last reservation that took it whole, and of the last
that could not have it for long enough."""
ENDS_BY, STARTS_BEFORE = range(7, 9)
"""By when whoever starts here must end, by its estimate; and from when on nobody starts here."""
POD_SIZE = 9
KEEP, BEGIN = range(1, 3)
"""For how long devices are kept; and seconds to begin, by case."""
OFFER_SIZE = 3

# Of a pool.
PODS, PODS_END, SIZE, LEAVES, DRAINS = range(5)
"""Its pods, and the devices of one; and of those that will leave, the first ENDS_BY and STARTS_BEFORE."""
TREES, LENGTH, TREE_TOP, MOST, TREE_LEVELS = range(5, 10)
"""Of many pods, trees by count of free devices that say how many have so many: where they begin, NONE where
there are few pods; the length of one; its highest level; the most free devices; where its levels begin."""
LOOKED, OPEN_MOST = range(19, 21)
"""Of few pods, at which of LOOKS it was worked out what an open one has free at most; and that."""
EMPTIES, EMPTIES_TOP, EMPTIES_LEVELS = range(21, 24)
"""Where gangs across pods may hold reservations, a tree of when each pod should be empty, else NONE."""
POOL_SIZE = EMPTIES_LEVELS + 10

# Of a change of the pods.
AT, GOES, POOL, FIRST_POD, END_POD, LOST_LINES, LOST_LINES_END = range(7)
"""When; whether they go, or come; of which pool, and which; and a list of the lines for which there will
never be enough pods from then on."""
CHANGE_SIZE = 7

# Of a rejected job.
REJECTED_ROW, TURNED_AWAY, STOPPED_S = range(3)
"""Its row; whether that is because pods have left; and when it stopped waiting, ABSENT if it did not."""
REJECT_SIZE = 3

BRANCHES = 16
"""Children of a node of any tree."""

FULL, OVER, ASKING = range(3)
"""Why the loop stops: the log has to take what there is, the run is over, or a job has to say which offers it
prefers."""
RENT, HAVE_RENTED = range(1, 3)
"""Looks at who may rent: nobody has yet, or somebody has."""
STRICT, GREEDY, EASY = range(3)
"""Backfills."""
BEST, WORST, FIRST = range(3)
"""Places."""
