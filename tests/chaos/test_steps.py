"""Killed at each step of a part's life: the rows are those of a quiet run, none twice."""

from __future__ import annotations

import pytest

from tests.made.struck import Step
from tests.made.victims import Victim

PART = r"results/part-[^/]*$"
PARTS = [
    Step("land", r"failures/part-[^/]*$"),
    Step("land", r"failures/part-[^/]*$", after=True),
    Step("write", PART),
    Step("land", PART),
    Step("land", PART, after=True),
    Step("land", r"ledger/[^/]*$"),
    Step("land", r"ledger/[^/]*$", after=True),
]
"""Of the life of a part; that of one with failures first, as others may be done by then."""
BEFORE = [
    Step("adopt", r"/plan$"),
    Step("adopt", r"/plan$", after=True),
    Step("land", r"manifest\.json$"),
    Step("land", r"manifest\.json$", after=True),
    Step("land", r"job\.yaml$"),
]
"""Until the first part."""
SEAL = [
    Step("land", r"temporal/part-[^/]*$"),
    Step("land", r"out/zones\.parquet$"),
    Step("land", r"out/layers\.parquet$", after=True),
    Step("land", r"out/failures\.parquet$"),
    Step("land", r"sums\.json$"),
    Step("land", r"sums\.json$", after=True),
    Step("land", r"manifest\.json$"),
]
"""From the last one on, until the manifest says that it is the result."""
AFTER = [
    Step("remove", PART),
    Step("remove", PART, after=True),
    Step("remove", r"temporal"),
    Step("remove", r"plan/[0-9a-f]{32}$"),
    Step("remove", r"plan/[0-9a-f]{32}$", after=True),
    Step("land", r"ledger/[^/]*$"),
    Step("remove", r"ledger/"),
]
"""When what is no longer needed goes."""
SHORT = [BEFORE[1], BEFORE[3], PARTS[1], PARTS[2], PARTS[4], PARTS[5], SEAL[1], SEAL[4]]
"""Some of each."""


def chaos(victim: Victim, first: list[Step], second: list[Step]) -> None:
    """Kill a run at some steps, let it end, change its input, kill it at others, let it end."""
    job = victim.make()
    for step in first:
        victim.strike(job, step)
    victim.ends(job)
    victim.change()
    for step in second:
        victim.strike(job, step)
    victim.ends(job)


def told(victim: Victim, capsys: pytest.CaptureFixture[str], least: int) -> None:
    """Say how often it was killed."""
    with capsys.disabled():
        print(f"\n{victim.kills} kills at named steps landed while something was left to do")
    assert victim.kills >= least, victim.log


@pytest.mark.long
def test_some_steps(victim: Victim, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a folder."""
    chaos(victim, SHORT, [PARTS[3], PARTS[6], SEAL[6], AFTER[1], AFTER[4]])
    told(victim, capsys, 10)


@pytest.mark.long
def test_every_step(victim: Victim, capsys: pytest.CaptureFixture[str]) -> None:
    """Into a folder, each step of a first run, and again of one over other input.

    What could not be read is not computed again by the second: it has no such steps.
    """
    second = [*BEFORE, *PARTS[2:], *SEAL, *AFTER]
    chaos(victim, [*BEFORE, *PARTS, *SEAL, *AFTER[-2:]], second)
    told(victim, capsys, 30)


@pytest.mark.long
def test_every_step_into_a_bucket(
    bucket_victim: Victim, capsys: pytest.CaptureFixture[str]
) -> None:
    """As into a folder, but that nothing is written before it is put."""
    put = [step for step in PARTS if step.verb != "write"]
    chaos(bucket_victim, [*BEFORE, *put, *SEAL], [*put[2:], *SEAL[4:], *AFTER[:2]])
    told(bucket_victim, capsys, 20)
