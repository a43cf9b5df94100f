"""Faults that befall some of a server's answers."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Shaky"]

FAULTS = ("drop", "delay", "truncate", "500", "503", "429")


@dataclass
class Shaky:
    """What befalls the answers of a `Store`, one after the other, by chance."""

    share: float
    """Of answers that something befalls."""
    rng: random.Random = field(default_factory=lambda: random.Random(5))
    answers: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    """What befell them, how often."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> str:
        """What befalls the next one."""
        with self._lock:
            self.answers += 1
            if self.rng.random() >= self.share:
                return ""
            kind = self.rng.choice(FAULTS)
            self.struck[kind] += 1
            return kind
