"""Receipts: proof of written parts, and the report of a run."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zonalbatch.layers import Failure
from zonalbatch.sources.secrets import writable
from zonalbatch.vouched import unvouched, vouched

__all__ = ["Receipt", "Report", "failed_name", "key_of", "pack_bits", "unpack_bits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof of one written part, or the reason why it must be planned again."""

    part: str
    rows: int = 0
    uncovered: int = 0
    """Pairs of zone and layer without a row: rows + uncovered = zones × layers."""
    start: int = 0
    """First zone, in the order of the plan."""
    stop: int = 0
    """The one after the last."""
    unmet: str = ""
    """Which zones have no row here, packed; empty if all have one."""
    bytes: int = 0
    """Size of the file."""
    hash: str = ""
    """BLAKE2b-128 of its bytes, hexadecimal; empty in its own footer, which cannot know it."""
    decoded: int = 0
    """Bytes of pixels that were decoded."""
    failures: int = 0
    """What could not be read."""
    passing: int = 0
    """How much of that may be read another time."""
    failed: tuple[str, ...] = ()
    """`failed_name` of each file of a layer that it was, once."""
    seconds: float = 0.0
    applied: Mapping[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (nodata, scale, offset) where the plan left them to the file."""
    source: str = ""
    """The earlier part that the rows were taken from; empty if they were computed."""
    contradicted: Mapping[str, Any] = field(default_factory=dict)
    """`key_of` a band -> (scale, offset) of its file's tags, where others were applied."""
    mismatched: tuple[str, ...] = ()
    """Layers whose files lie on other grids than their items say; then nothing was written."""
    reads: Mapping[str, str] = field(default_factory=dict)
    """Host -> marks of its last reads, as `Hosts` has them: on the way to the client alone."""

    def to_json(self) -> str:
        """One line of JSON."""
        return vouched(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Receipt:
        """The receipt that `to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError: it is damaged, or of another version.
        """
        document = unvouched(text)
        lists = {name: tuple(document[name]) for name in ("mismatched", "failed")}
        return cls(**{**document, **lists})


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a run did."""

    output: str
    """Folder of the result."""
    fingerprint: str
    """Of the plan."""
    parts: int
    """Of the plan, all done."""
    computed: int
    """How many of them in this run; the others were there."""
    rewritten: int
    """How many of these from rows that were there, without a pixel."""
    rows: int
    bytes: int
    """Size of all result files."""
    failures: int
    """What could not be read; see failures.parquet."""
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 if all is done, 3 if failures are recorded."""
        return 3 if self.failures else 0

    def _repr_html_(self) -> str:
        from zonalbatch.notebook.reports import report_html

        return report_html(self)


def failed_name(failure: Failure) -> str:
    """What failed, in a few letters: the same file of the same layer is the same name."""
    told = f"{failure.layer}\n{writable(failure.href)}".encode()
    return hashlib.blake2b(told, digest_size=6).hexdigest()


def key_of(href: str, band: int) -> str:
    """One band of one file in a word that tells no secret, whatever its link is signed with."""
    return f"{band}:{writable(href)}"


def pack_bits(flags: NDArray[np.bool_]) -> str:
    """Flags as a short text; empty if none is set."""
    if not flags.any():
        return ""
    return base64.b85encode(zlib.compress(np.packbits(flags).tobytes(), 9)).decode()


def unpack_bits(text: str, count: int) -> NDArray[np.bool_]:
    """The flags that `pack_bits` wrote."""
    if not text:
        return np.zeros(count, bool)
    raw = np.frombuffer(zlib.decompress(base64.b85decode(text)), np.uint8)
    return np.unpackbits(raw, count=count).astype(bool)
