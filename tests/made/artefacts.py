"""Artefacts: pictures that tests leave for people to look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["artefact", "keep_picture"]

REPOSITORY = Path(__file__).resolve().parents[2]


def artefact(name: str) -> Path:
    """Where a picture is to be left: in the folder that ZONALBATCH_ARTEFACTS names."""
    default = REPOSITORY / ".cache" / "artefacts"
    folder = Path(os.environ.get("ZONALBATCH_ARTEFACTS") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.png"


def keep_picture(name: str, made: Any) -> Path:
    """Leave the figure of axes or panels as a picture."""
    path = artefact(f"plot-{name}")
    made.figure.savefig(path, dpi=110)
    return path
