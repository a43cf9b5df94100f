"""The entry point: kernels are where numba may write, whoever starts, and else it says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FILES = {"cover_1/a.nbi": b"index", "cover_1/a.nbc": b"code", "sources_2/b.nbi": b"other"}
STAMP = 1_600_000_000


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with the entry point and made kernels, as in the image."""
    folder = tmp_path / "image"
    for name, said in FILES.items():
        path = folder / "kernels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(said)
        os.utime(path, (STAMP, STAMP))
    shutil.copy(REPOSITORY / "helm/image/entrypoint", folder)
    return folder


def start(image: Path, cache: Path, *words: str, **environment: str) -> subprocess.Popen[str]:
    """The entry point with a program; it prints the cache's name, unless another is given."""
    return subprocess.Popen(
        [image / "entrypoint", *(words or ("sh", "-c", 'echo "$NUMBA_CACHE_DIR"'))],
        env={"PATH": os.environ["PATH"], "NUMBA_CACHE_DIR": str(cache), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def told(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, and what it said."""
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def files_in(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, also below hidden names."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_kernels_are_copied_with_their_stamps(image: Path, tmp_path: Path) -> None:
    """All that numba's index needs is there, and nothing else; nothing is said."""
    cache = tmp_path / "deep/numba"
    assert told(start(image, cache)) == (0, f"{cache}\n", "")
    assert files_in(cache) == FILES
    assert {path.stat().st_mtime for path in cache.rglob("*.nb?")} == {STAMP}


def test_twice_is_as_once(image: Path, tmp_path: Path) -> None:
    """What was compiled since stays, as do kernels of another that runs."""
    cache = tmp_path / "numba"
    told(start(image, cache))
    (cache / "cover_1/a.nbi").write_bytes(b"longer index")
    (cache / "cover_1/a.1.nbc").write_bytes(b"more code")
    assert told(start(image, cache)) == (0, f"{cache}\n", "")
    more = {"cover_1/a.nbi": b"longer index", "cover_1/a.1.nbc": b"more code"}
    assert files_in(cache) == FILES | more


def test_a_folder_that_is_there_is_filled(image: Path, tmp_path: Path) -> None:
    """An emptyDir, and folders in it that numba made and did not fill."""
    (tmp_path / "numba/cover_1").mkdir(parents=True)
    shutil.rmtree(image / "kernels/cover_1")
    assert told(start(image, tmp_path / "numba"))[2] == ""
    assert files_in(tmp_path / "numba") == {"sources_2/b.nbi": b"other"}


def test_many_at_once_find_all(image: Path, tmp_path: Path) -> None:
    """Containers that share a folder: each program finds every kernel whole when it starts."""
    for i in range(30):
        folder = image / f"kernels/module_{i}"
        folder.mkdir()
        (folder / "c.nbc").write_bytes(os.urandom(20_000))
    cache = tmp_path / "numba"
    command = ("diff", "-r", "--exclude=.copy-*", str(image / "kernels"), str(cache))
    both = [start(image, cache, *command) for _ in range(6)]
    assert [told(process) for process in both] == [(0, "", "")] * 6
    assert not list(cache.glob(".*"))


def test_the_program_takes_the_shells_place(image: Path, tmp_path: Path) -> None:
    """So signals reach it, and its exit code is the container's; words stay as they are."""
    assert told(start(image, tmp_path / "numba", "sh", "-c", 'exit "$1"', "sh", "3"))[0] == 3
    process = start(image, tmp_path / "numba", "sh", "-c", 'echo $$; printf %s "$1"', "sh", "a  b")
    assert told(process)[1] == f"{process.pid}\na  b"


def test_what_cannot_be_written_is_said_in_one_sentence(image: Path, tmp_path: Path) -> None:
    """The program runs nevertheless."""
    (tmp_path / "file").write_text("no folder")
    cache = tmp_path / "file/numba"
    code, out, err = told(start(image, cache))
    assert (code, out) == (0, f"{cache}\n")
    assert err.startswith(f"zonalbatch: compiled kernels cannot be copied to {cache} (mkdir: ")
    assert err.endswith("); kernels are compiled when they are first needed\n")
    assert err.count("\n") == 1


def test_a_full_disk_leaves_nothing_behind(image: Path, tmp_path: Path) -> None:
    """A folder that was not copied whole is not there."""
    cp = tmp_path / "bin/cp"
    cp.parent.mkdir()
    cp.write_text('#!/bin/sh\nmkdir -p "$3"; echo "cp: No space left on device" >&2; exit 1\n')
    cp.chmod(0o755)
    path = f"{cp.parent}:{os.environ['PATH']}"
    code, _, err = told(start(image, tmp_path / "numba", PATH=path))
    assert code == 0
    assert "(cp: No space left on device); kernels are compiled" in err
    assert files_in(tmp_path / "numba") == {}
    assert not list((tmp_path / "numba").iterdir())


def test_without_kernels_it_goes_on(image: Path, tmp_path: Path) -> None:
    """An image that was made without them works."""
    shutil.rmtree(image / "kernels")
    code, out, err = told(start(image, tmp_path / "numba"))
    assert (code, out) == (0, f"{tmp_path / 'numba'}\n")
    assert err == (
        f"zonalbatch: there are no compiled kernels at {image / 'kernels'}; "
        "kernels are compiled when they are first needed\n"
    )


def test_a_lesser_processor_compiles_for_itself(image: Path, tmp_path: Path) -> None:
    """Code of the stated level would end the process there; numba then asks the machine."""
    grep = tmp_path / "bin/grep"
    grep.parent.mkdir()
    grep.write_text("#!/bin/sh\nexit 1\n")
    grep.chmod(0o755)
    process = start(
        image, tmp_path / "numba", "sh", "-c", 'echo "${NUMBA_CPU_NAME-none}"',
        PATH=f"{grep.parent}:{os.environ['PATH']}", NUMBA_CPU_NAME="x86-64-v3",
    )  # fmt: skip
    code, out, err = told(process)
    assert (code, out) == (0, "none\n")
    assert err.startswith("zonalbatch: this processor is below x86-64-v3, for which the image")
