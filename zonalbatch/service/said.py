"""Said: what comes back from a process that answers, as every error cannot be sent."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zonalbatch.errors import ZonalbatchError
from zonalbatch.service.egress.way_out import refusals_told
from zonalbatch.service.refusals import FAULT, FAULT_TOLD, TOO_LARGE, Refusal, refusal_of
from zonalbatch.service.telemetry import LOG

__all__ = ["Said", "said_by"]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, or why there is none: plain things."""

    answer: Any = None
    status: int = 0
    """Of a refusal; 0 where there is an answer."""
    detail: str = ""
    trace: str = ""
    """Of a fault, for the log."""

    def told(self) -> Any:
        """The answer.

        Raises:
            Refusal: there is none.
        """
        if self.trace:
            LOG.error("fault", extra={"told": {"trace": self.trace}})
        if self.status:
            raise Refusal(self.status, self.detail)
        return self.answer


def said_by(work: Callable[[], Any], root: Path | None) -> Said:
    """What some work in a process gives, whatever becomes of it.

    Args:
        work: a call that asks for no more arguments.
        root: the folder below which files are read, whose place is nobody's business.
    """
    try:
        return Said(refusals_told(work))
    except Refusal as refusal:
        return Said(status=refusal.status, detail=refusal.detail)
    except ZonalbatchError as error:
        told = refusal_of(error, root)
        return Said(status=told.status, detail=told.detail)
    except MemoryError:
        detail = "that takes more memory than there is; ask for less, or approx_stats"
        return Said(status=TOO_LARGE, detail=detail)
    except Exception:
        return Said(status=FAULT, detail=FAULT_TOLD, trace=traceback.format_exc())
