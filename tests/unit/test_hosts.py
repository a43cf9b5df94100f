"""Hosts: when one is down."""

from __future__ import annotations

import pytest

from zonalbatch.hosts import ANSWERED, FAILED, Hosts

HOST = "https://data.example"


@pytest.mark.parametrize(
    ("marks", "down"),
    [
        (19 * FAILED, False),
        (20 * FAILED, True),
        (10 * (FAILED + ANSWERED), True),
        (10 * FAILED + 11 * ANSWERED, False),
        (100 * FAILED + 51 * ANSWERED, False),
        (100 * ANSWERED + 50 * FAILED, True),
    ],
)
def test_half_of_the_last_hundred(marks: str, down: bool) -> None:
    """A host is down if half of its last 100 reads failed, once 20 of them are known."""
    hosts = Hosts()
    for mark in marks:
        hosts.add(HOST, mark)
    assert hosts.down(HOST) is down
    assert len(hosts.told[HOST]) == min(100, len(marks))


def test_hosts_are_judged_one_by_one() -> None:
    """What one host does says nothing of another; a host that is forgotten is judged anew."""
    hosts = Hosts()
    hosts.add(HOST, 50 * FAILED)
    assert not hosts.down("https://other.example")
    hosts.forget(HOST)
    assert not hosts.down(HOST)
