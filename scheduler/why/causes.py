"""The causes of waiting, the first that holds first."""

from __future__ import annotations

from enum import IntEnum

import pyarrow as pa

from traces.arrays import WORD
from traces.parquet import documented


class Cause(IntEnum):
    """Why a job did not work in a second of its wait; of several that hold, the first."""

    DEPENDENCY = 0
    BACK_OFF = 1
    STARTING = 2
    OUTAGE = 3
    RESIDENCY = 4
    QUOTA = 5
    BUDGET = 6
    DECLINED = 7
    REFUSED = 8
    TOO_FEW = 9
    POWER = 10
    RESERVED = 11
    FRAGMENTATION = 12
    ORDER = 13

    @property
    def word(self) -> str:
        """Its name in waits.parquet."""
        return self.name.lower()


MEANINGS = {
    Cause.DEPENDENCY: "another job had to finish first, or the lag after it to pass",
    Cause.BACK_OFF: "it had failed, or found no pod for its quota, and was not to be tried again yet",
    Cause.STARTING: "it held devices that were booting, restarting or being given its data",
    Cause.OUTAGE: "it would have fitted, but for devices that were out of service",
    Cause.RESIDENCY: "its data may not leave, and an offer had room for it",
    Cause.QUOTA: "its queue had not enough quota for it, or no offer had enough left of its own",
    Cause.BUDGET: "an offer had enough left, and the budget of the week too little for it",
    Cause.DECLINED: "an offer had room, and the policy wanted none that had",
    Cause.REFUSED: "offers refused, or were short of devices",
    Cause.TOO_FEW: "fewer devices were free than it takes",
    Cause.POWER: "it would have fitted, but its site had no power for it, or will have none",
    Cause.RESERVED: "it would have fitted, in room that was kept for others",
    Cause.FRAGMENTATION: "enough devices were free, but in no pods that it fits",
    Cause.ORDER: "it would have fitted, but nobody passes the head",
}

WAITS = pa.schema(
    [
        documented("job_id", pa.int64(), "", "as in the trace"),
        documented("from_s", pa.int64(), "s", "from here on it did not work, from the epoch"),
        documented("to_s", pa.int64(), "s", "until here"),
        documented("cause", WORD, "", "the first cause that holds"),
        documented("on_pods", WORD, "", "what it lacked on the pods that it may use", nullable=True),
        documented("about", WORD, "", "the pools, the offers or the job that it is about", nullable=True),
        documented("patient", pa.bool_(), "", "it may leave, and its patience is not over"),
    ]
)
