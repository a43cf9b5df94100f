"""Fingerprint: what tells one content of a local file from another, for the price of an opening."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

__all__ = ["fingerprint"]

SAMPLE = 16 * 1024
"""Bytes of one sample."""

SAMPLES = 8
"""Samples of a file, evenly spread: the first holds its head, the last its end."""


def fingerprint(path: str) -> str:
    """Size of a file and a digest of samples of it; neither its name nor its time of change.

    So a file that is touched, moved back or copied anew stays the same layer. The samples hold
    the head of the file, and its end where some writers put their tables: a TIFF's offsets and
    sizes of blocks stand there, which change as soon as any compressed block does. Files of up
    to 128 KiB are read whole.

    What is lost: a change that leaves the size, the head and every other sample as they were,
    such as a few pixels of a large uncompressed file that are overwritten in place, is not seen.
    Side files (``.ovr``, ``.msk``, ``.aux.xml``) and the sources of a VRT are not looked at; of
    overviews that are read, the header takes the fingerprint too.

    Raises:
        OSError: the file cannot be read.
    """
    state = hashlib.blake2b(digest_size=16)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        for offset in _offsets(size):
            file.seek(offset)
            state.update(file.read(SAMPLE))
    return f"{size}-{state.hexdigest()}"


def _offsets(size: int) -> Iterable[int]:
    """Where samples begin, each once."""
    last = max(0, size - SAMPLE)
    return dict.fromkeys(last * i // (SAMPLES - 1) for i in range(SAMPLES))
