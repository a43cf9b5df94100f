"""Kernels compiled ahead, where the image itself cannot be made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.made.compilations import UNCOMPILED
from tests.made.room import why_not

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(why_not() is None, reason="the test of the image holds it"),
]


def test_every_kernel_is_compiled(tmp_path: Path) -> None:
    """One that is written later, and that `zonalbatch.precompiled` does not meet, is named here."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "kernels")}
    subprocess.run([sys.executable, "-m", "zonalbatch.precompiled"], env=environment, check=True)
    told = subprocess.check_output([sys.executable, "-c", UNCOMPILED], env=environment, text=True)
    assert told == ""
