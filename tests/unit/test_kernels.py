"""Compiled code that processes share: each type's is its own, whoever compiled at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNEL = """
from zonalbatch.kernels import kernel

@kernel()
def doubled(values):
    total = 0
    for value in values:
        total += 2 * value
    return total
"""

COMPILE = '''
import sys, time
from pathlib import Path
import numpy as np
from numba.core.caching import IndexDataCacheFile
from doubling import doubled

own, other, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
save_index = IndexDataCacheFile._save_index

def slow(self, overloads):
    """Between reading the index and writing it there is time for another process."""
    time.sleep(1.0)
    save_index(self, overloads)

IndexDataCacheFile._save_index = slow
(folder / own).touch()
while not (folder / other).exists():
    time.sleep(0.01)
doubled(np.ones(3, own))
'''

USE = """
import numpy as np
from doubling import doubled

values = np.array([1, 2, 3])
print(doubled(values.astype("uint8")), doubled(values.astype("float64")))
print(sum(doubled.stats.cache_hits.values()))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty cache, and the kernel of this module as ``doubling``."""
    (tmp_path / "doubling.py").write_text(KERNEL)
    paths = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    return {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": paths}


def test_processes_that_compile_at_once_do_not_take_each_others_code(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Both signatures are kept, each under its own name."""
    types = ("uint8", "float64")
    both = [
        subprocess.Popen(
            [sys.executable, "-c", COMPILE, own, other, str(tmp_path)], env=environment
        )
        for own, other in (types, types[::-1])
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    told = subprocess.check_output([sys.executable, "-c", USE], env=environment, text=True)
    assert told.split() == ["12", "12.0", "2"]


def test_code_of_other_types_is_not_used(environment: dict[str, str]) -> None:
    """A cache that was mixed up by others gives no code of other types."""
    one = "import numpy as np; from doubling import doubled; doubled(np.ones(3, '{}'))"
    for dtype in ("uint8", "float64"):
        subprocess.run([sys.executable, "-c", one.format(dtype)], env=environment, check=True)
    first, second = sorted(Path(environment["NUMBA_CACHE_DIR"]).rglob("*.nbc"))
    swapped = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(swapped)
    told = subprocess.check_output([sys.executable, "-c", USE], env=environment, text=True)
    assert told.split() == ["12", "12.0", "0"]


def test_a_cache_that_cannot_be_written_is_done_without(environment: dict[str, str]) -> None:
    """On a full disk kernels are compiled each time, and work."""
    full = (
        "import errno\n"
        "from numba.core.caching import IndexDataCacheFile\n"
        "def full(self, overloads):\n"
        "    raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "IndexDataCacheFile._save_index = full\n"
    )
    told = subprocess.check_output([sys.executable, "-c", full + USE], env=environment, text=True)
    assert told.split() == ["12", "12.0", "0"]


def test_where_no_folder_can_be_written_each_process_compiles(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """On a read-only root without a place for a cache the package works."""
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "__pycache__").write_text("no folder")
    nowhere = str(tmp_path / "file/cache")
    alone = environment | {"NUMBA_CACHE_DIR": nowhere, "HOME": nowhere, "XDG_CACHE_HOME": nowhere}
    told = subprocess.check_output([sys.executable, "-c", USE], env=alone, text=True)
    assert told.split() == ["12", "12.0", "0"]
