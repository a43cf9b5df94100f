"""`status`: how far a run has come."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import zonalbatch as zb
from tests.made.commands import Command, assert_one_sentence


class TestStatus:
    """status: how far a run has come."""

    def test_text_and_json(self, here: Command, job: Path) -> None:
        """Told are parts, rows, size, failures, whether it is sealed, and the digest if asked."""
        here("run", job)
        out = job.parent / "out"
        code, text, err = here("status", out)
        assert (code, err) == (0, "")
        assert "sealed" in text.splitlines()[0]
        assert "not sealed" not in text
        assert "digest" not in text
        _, told, _ = here("status", out, "--json", "--digest")
        status = json.loads(told)
        results = zb.open_results(out)
        assert status["digest"] == results.digest
        assert len(status["digest"]) == 64
        counts = [status[name] for name in ("parts", "done", "rows", "failures")]
        assert counts == [1, 1, 180, 0]
        assert status["bytes"] == sum(Path(f).stat().st_size for f in results.files)
        assert status["sealed"] is True
        assert f"digest    {results.digest}" in here("status", out, "--digest").out

    def test_a_lost_part(self, here: Command, job: Path) -> None:
        """A part whose file is gone is not done, and the result not whole."""
        here("run", job)
        (file,) = map(Path, zb.open_results(job.parent / "out").files)
        file.unlink()
        status = json.loads(here("status", job.parent / "out", "--json").out)
        assert (status["done"], status["rows"], status["sealed"]) == (0, 0, False)

    @pytest.mark.parametrize("lost", ["plan", "ledger", "failures", "zones.parquet", "job.yaml"])
    def test_without_what_is_beside(self, here: Command, job: Path, lost: str) -> None:
        """What can be told is told, or one sentence says what is missing; never a traceback."""
        here("run", job)
        out = job.parent / "out"
        (shutil.rmtree if (out / lost).is_dir() else os.unlink)(out / lost)
        code, _, err = here("status", out, "--digest")
        assert code in (0, 2, 4)
        assert len(err.splitlines()) <= 1

    def test_a_broken_part_is_noticed(self, here: Command, job: Path) -> None:
        """A part that is no longer whole is done again, or refused in one sentence."""
        here("run", job)
        out = job.parent / "out"
        digest = zb.open_results(out).digest
        (file,) = map(Path, zb.open_results(out).files)
        file.write_bytes(file.read_bytes()[:1000])
        code, _, err = here("run", job, "--quiet")
        if code == 0:
            assert zb.open_results(out).digest == digest
        else:
            assert code == 4
            assert_one_sentence(err, file.name)

    def test_a_flipped_byte(self, here: Command, job: Path) -> None:
        """A part of the right size counts as done; the digest looks at every byte of its rows."""
        here("run", job)
        out = job.parent / "out"
        whole = json.loads(here("status", out, "--json", "--digest").out)
        (file,) = map(Path, zb.open_results(out).files)
        data = file.read_bytes()
        footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
        for at in range(4, footer, footer // 6):
            file.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
            assert json.loads(here("status", out, "--json").out)["done"] == whole["done"]
            code, told, err = here("status", out, "--digest")
            assert (code, told) == (4, ""), at
            assert_one_sentence(err, str(file), "run the job again with --verify")
        file.unlink()
        assert here("run", job, "--quiet").code == 0
        assert zb.open_results(out).digest == whole["digest"]

    def test_no_output(self, here: Command, tmp_path: Path) -> None:
        """A folder that no run wrote to, or no folder, is refused with its path."""
        for path in (tmp_path, tmp_path / "nope"):
            code, out, err = here("status", path)
            assert (code, out) == (2, "")
            assert_one_sentence(err, f"error: {path}")
