"""The process that runs a job: there is one at most, and it ends when it should."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from zonalbatch.service.jobs import child as job_child
from zonalbatch.service.jobs.child import (
    JOB,
    LOG_FILE,
    JobChild,
    end_left_behind,
    sentence_of,
)  # fmt: skip
from zonalbatch.service.jobs.runs import run_environment
from zonalbatch.service.settings import Settings

ENDS = "import sys; sys.exit(3)"
WAITS = "import time, pathlib; pathlib.Path('ready').touch(); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
PARENT = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {DEAF!r}]); \
import os; open('child', 'w').write(str(c.pid)); {WAITS}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run has a second to end in order."""
    monkeypatch.setattr(job_child, "GRACE", 1.0)
    monkeypatch.setattr(job_child, "LOOK", 0.01)


async def begun(
    folder: Path, code: str, patch: pytest.MonkeyPatch, until: str = "ready"
) -> JobChild:
    """A process in the place of a run, once it has written a file."""
    patch.setattr(job_child, "COMMAND", (sys.executable, "-c", code))
    child = await JobChild.started(folder, dict(os.environ))
    while until and not (folder / until).exists():
        await asyncio.sleep(0.01)
    return child


def test_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the command."""

    async def run() -> int:
        return await (await begun(tmp_path, ENDS, monkeypatch, until="")).ended()

    assert asyncio.run(run()) == 3


@pytest.mark.parametrize(("code", "signals"), [(WAITS, signal.SIGTERM), (DEAF, signal.SIGKILL)])
def test_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, signals: signal.Signals
) -> None:
    """By SIGTERM; one that is deaf to it is killed in a while."""

    async def run() -> int:
        return await (await begun(tmp_path, code, monkeypatch)).stop()

    assert asyncio.run(run()) == -signals


def test_it_takes_its_own_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed run had begun does not outlive it."""

    async def run() -> None:
        child = await begun(tmp_path, PARENT, monkeypatch)
        number = int((tmp_path / "child").read_text())
        os.kill(int((tmp_path / job_child.LOCK).read_text()), signal.SIGKILL)
        assert await child.ended() == -signal.SIGKILL
        while _lives(number):
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(run(), 20))


def _lives(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other is begun while it lives, whatever became of who began it; one may be after that."""

    async def run() -> None:
        child = await begun(tmp_path, WAITS, monkeypatch)
        with pytest.raises(BlockingIOError):
            await begun(tmp_path, WAITS, monkeypatch)
        await child.stop()
        await (await begun(tmp_path, WAITS, monkeypatch)).stop()

    asyncio.run(run())


@pytest.mark.parametrize("code", [WAITS, DEAF])
def test_one_that_was_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """It is ended, and waited for."""

    async def run() -> int:
        child = await begun(tmp_path, code, monkeypatch)
        await end_left_behind(tmp_path)
        return await child.ended()

    assert asyncio.run(run()) < 0
    asyncio.run(end_left_behind(tmp_path))  # of which there is none now


def test_one_whose_number_was_not_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, as nobody can be sent a signal."""

    async def run() -> None:
        child = await begun(tmp_path, WAITS, monkeypatch)
        number = int((tmp_path / job_child.LOCK).read_text())
        (tmp_path / job_child.LOCK).write_text("")
        waiting = asyncio.create_task(end_left_behind(tmp_path))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        os.kill(number, signal.SIGTERM)
        await waiting
        assert await child.ended() == -signal.SIGTERM

    asyncio.run(run())


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("note: a\nerror: no zones; give some\n", 2, "no zones; give some"),
        ("error: first\nerror: last\n", 4, "last"),
        ("Killed", -9, "signal 9"),
        ("Traceback …\nKeyError: 'secret'\n", 1, "a fault of the service"),
        ("", 1, "a fault of the service"),
    ],
)  # fmt: skip
def test_why_it_failed(tmp_path: Path, text: str, code: int, sentence: str) -> None:
    """The sentence of the command, and no more of what it said."""
    (tmp_path / LOG_FILE).write_text(text)
    told = sentence_of(tmp_path, code)
    assert sentence in told
    assert "secret" not in told


def test_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of the service; those of this machine where the settings sign by them; the way out."""
    monkeypatch.setenv("ZONALBATCH_SERVICE_KEYS", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = run_environment(Settings(sign=None), "http://a:b@127.0.0.1:9")
    assert "secret" not in found.values()
    assert (found["https_proxy"], found["AWS_NO_SIGN_REQUEST"]) == ("http://a:b@127.0.0.1:9", "YES")
    found = run_environment(Settings(sign="aws"), "")
    assert found["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert "AWS_NO_SIGN_REQUEST" not in found


def test_the_command(tmp_path: Path) -> None:
    """It is `zonalbatch run`, of this Python, and looks for modules in no job's folder."""
    (tmp_path / "zonalbatch.py").write_text("raise SystemExit('another')")
    (tmp_path / JOB).write_text("{}")

    async def run() -> int:
        return await (await JobChild.started(tmp_path, dict(os.environ))).ended()

    assert asyncio.run(run()) == 2
    assert "is empty" in sentence_of(tmp_path, 2)
