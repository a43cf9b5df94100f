"""Engine: plan + client + output -> what is done. The only room that knows Dask's futures.

window      parts under way on the cluster: submitted, landed, taken back
course      the order in which parts go, until each is settled
losses      what becomes of a part whose worker was lost
desertion   how long it is borne that no worker is there
outage      when nothing is submitted, as a host is down
ledger      receipts on their way to the ledger
done        what has been done of a plan
execution   all of it, from the first part to the last
"""

from __future__ import annotations

from zonalbatch.engine.done import Done
from zonalbatch.engine.execution import execute
from zonalbatch.engine.limits import Limits
from zonalbatch.engine.observer import Observer

__all__ = ["Done", "Limits", "Observer", "execute"]
