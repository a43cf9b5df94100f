"""A server that takes connections and never answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Silence", "silent"]


@dataclass
class Silence:
    """Who calls it waits."""

    port: int
    calls: list[socket.socket] = field(default_factory=list)
    """Connections, held open."""


@contextmanager
def silent() -> Iterator[Silence]:
    """A silent server, until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        silence = Silence(server.getsockname()[1])

        def listen() -> None:
            while True:
                try:
                    silence.calls.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield silence
        server.shutdown(socket.SHUT_RDWR)
    thread.join()
    for call in silence.calls:
        call.close()
