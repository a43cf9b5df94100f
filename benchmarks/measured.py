"""Parts done in a process of their own, which tells what they took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import zonalbatch as zb
from zonalbatch.planning.plan import Plan
from zonalbatch.sinks.output import Output

CODE = """
import json, time
import distributed.worker
from zonalbatch.work.part import run_part

def mib(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) / 1024

times, resident = [], []
for part in json.loads({parts!r}):
    began = time.process_time()
    run_part({plan!r}, part, {memory}, 64, False)
    times.append(time.process_time() - began)
    resident.append(mib("VmRSS"))
print(json.dumps([mib("VmHWM"), times, resident]))
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What some parts took."""

    peak: float
    """The most resident memory of the process, MiB."""
    times: list[float]
    """(part,) seconds of a processor."""
    resident: list[float]
    """(part,) resident memory after it, MiB."""


def taken_by(job: zb.Job, plan: Plan, parts: list[str]) -> Taken:
    """Do some parts of a plan one after the other, as a worker does; what they took."""
    Output.at(job.output.path).make_folders()
    code = CODE.format(parts=json.dumps(parts), plan=str(plan.folder), memory=job.limits.memory)
    # As Dask's nanny starts workers; malloc looks at it once, when a process begins.
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    told: Any = json.loads(done.stdout)
    return Taken(*told)
