"""Prospects: what is known of workers that are not there yet.

Whoever asked for workers may know why none has come: jobs wait in a queue, maybe for hours. The
engine asks, by the client that it works with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["awaited", "expect"]

_ASKED: WeakKeyDictionary[Client, Callable[[], str]] = WeakKeyDictionary()


def expect(client: Client, ask: Callable[[], str]) -> None:
    """Have the workers of a client known as expected.

    Args:
        client: what they will work for.
        ask: says what is waited for, or nothing; raises ClusterError if none will come.
    """
    _ASKED[client] = ask


def awaited(client: Client) -> str:
    """What is known to be waited for; empty if nothing is.

    Raises:
        ClusterError: no worker will come.
    """
    ask = _ASKED.get(client)
    return ask() if ask is not None else ""
