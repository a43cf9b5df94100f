"""Files that appear whole or not at all, and the lock of an output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zonalbatch.errors import OutputError
from zonalbatch.places.files import locked, make_folder, replacing, write_text
from zonalbatch.sinks.output import Output


class TestReplacing:
    """A file takes the place of another in one step."""

    def test_whole(self, tmp_path: Path) -> None:
        """The new content is there after the block, and nothing else is."""
        path = tmp_path / "a.bin"
        path.write_bytes(b"old")
        with replacing(path) as file:
            file.write(b"new")
            assert path.read_bytes() == b"old"
        assert path.read_bytes() == b"new"
        assert os.listdir(tmp_path) == ["a.bin"]

    def test_the_temporary_name(self, tmp_path: Path) -> None:
        """It is hidden and ends in a UUID: no reader of the folder takes it for a result."""
        with replacing(tmp_path / "a.parquet") as file:
            (name,) = os.listdir(tmp_path)
            assert file.name == str(tmp_path / name)
            assert re.fullmatch(r"\.a\.parquet\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OutputError, MemoryError])
    def test_a_failure_leaves_no_file(self, tmp_path: Path, error: type[BaseException]) -> None:
        """Neither the new one nor a temporary one; what was there stays; the error goes on."""
        path = tmp_path / "a.bin"
        for before in (None, b"old"):
            if before is not None:
                path.write_bytes(before)
            with pytest.raises(error):
                self.fail_halfway(path, error)
            assert os.listdir(tmp_path) == ([] if before is None else ["a.bin"])
            assert before is None or path.read_bytes() == before

    @staticmethod
    def fail_halfway(path: Path, error: type[BaseException]) -> None:
        """Write something, then raise."""
        with replacing(path) as file:
            file.write(b"half")
            raise error

    def test_no_place_to_write(self, tmp_path: Path) -> None:
        """A folder that is not there, or is a file: an OutputError that names the file."""
        (tmp_path / "file").write_text("mine")
        for folder in ("nope", "file"):
            path = tmp_path / folder / "a.bin"
            with (
                pytest.raises(OutputError, match=re.escape(str(path))),
                replacing(path) as file,
            ):
                file.write(b"new")
        assert os.listdir(tmp_path) == ["file"]

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What cannot be written is not renamed."""
        path = tmp_path / "a.bin"

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left"), replacing(path) as file:
            file.write(b"new")
        assert os.listdir(tmp_path) == []

    def test_it_is_on_the_disk_before_it_has_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """File, rename, folder: in this order, so that a power cut leaves old or new."""
        steps: list[str] = []
        fsync, rename = os.fsync, os.replace

        def synced(descriptor: int) -> None:
            target = os.readlink(f"/proc/self/fd/{descriptor}")
            steps.append("folder" if os.path.isdir(target) else "file")
            fsync(descriptor)

        def renamed(source: Path, target: Path) -> None:
            steps.append("rename")
            rename(source, target)

        if not Path("/proc/self/fd").exists():
            pytest.skip("there is no /proc")
        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", renamed)
        write_text(tmp_path / "a.txt", "ä")
        assert steps == ["file", "rename", "folder"]
        assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "ä"

    def test_many_at_once(self, tmp_path: Path) -> None:
        """Writers of the same file do not disturb each other: one of them wins, whole."""
        path = tmp_path / "a.txt"
        texts = [str(i) * 10_000 for i in range(8)]
        threads = [threading.Thread(target=write_text, args=(path, text)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert path.read_text() in texts
        assert os.listdir(tmp_path) == ["a.txt"]


class TestFolder:
    """make_folder."""

    def test_made_with_its_parents(self, tmp_path: Path) -> None:
        """And again, without harm or trace."""
        path = tmp_path / "a" / "b"
        assert make_folder(path) == path
        assert make_folder(path) == path
        assert os.listdir(path) == []

    def test_refused(self, tmp_path: Path) -> None:
        """A file in its place, or above it."""
        (tmp_path / "file").write_text("mine")
        for path in (tmp_path / "file", tmp_path / "file" / "a"):
            with pytest.raises(OutputError, match=re.escape(str(path))):
                make_folder(path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
    def test_nothing_can_be_written_into_it(self, tmp_path: Path) -> None:
        """It is there, and closed."""
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o500)
        with pytest.raises(OutputError, match="closed"):
            make_folder(closed)


class TestLock:
    """One run at a time."""

    def test_the_second_is_refused_until_the_first_ends(self, tmp_path: Path) -> None:
        """Also within one process; after an error too the lock is free."""
        lock = tmp_path / ".lock"
        with locked(lock):
            with pytest.raises(OutputError, match="another run"), locked(lock):
                raise AssertionError("two hold the lock")
            with pytest.raises(OutputError, match="another run"), locked(lock):
                raise AssertionError("the refused one has freed it")
        with pytest.raises(ValueError, match="ours"), locked(lock):
            raise ValueError("ours")
        with locked(lock):
            pass

    def test_it_ends_with_its_process(self, tmp_path: Path) -> None:
        """A run that was killed leaves no lock behind."""
        code = (
            "import sys, time\nfrom pathlib import Path\n"
            "from zonalbatch.places.files import locked\n"
            "with locked(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
        )
        lock = tmp_path / ".lock"
        with subprocess.Popen(
            [sys.executable, "-c", code, lock], stdout=subprocess.PIPE, text=True
        ) as holder:
            try:
                assert holder.stdout is not None
                assert holder.stdout.readline() == "held\n"
                with pytest.raises(OutputError, match="another run"), locked(lock):
                    pass
            finally:
                holder.kill()
        with locked(lock):
            pass

    def test_an_output_is_locked(self, tmp_path: Path) -> None:
        """A second one is kept out; the folders of a run are made when one begins."""
        output = Output.at(tmp_path / "out")
        with output.opened():
            assert os.listdir(str(output.path)) == [".lock"]
            output.make_folders()
            assert {"results", "failures", "ledger"} <= set(os.listdir(str(output.path)))
            with pytest.raises(OutputError, match="another run"), output.opened():
                pass
        with output.opened():
            pass

    def test_outputs_beside_each_other(self, tmp_path: Path) -> None:
        """Do not keep each other out."""
        with Output.at(tmp_path / "a").opened(), Output.at(tmp_path / "b").opened():
            pass


class TestManifest:
    """manifest.json."""

    def test_entries_are_changed_one_by_one(self, tmp_path: Path) -> None:
        """What is not named stays."""
        output = Output.at(tmp_path)
        assert output.manifest() == {}
        output.write_manifest(a=1, b=2)
        output.write_manifest(b=3)
        assert output.manifest() == {"a": 1, "b": 3}

    def test_broken(self, tmp_path: Path) -> None:
        """Named, in one sentence."""
        (tmp_path / "manifest.json").write_text("{")
        with pytest.raises(
            OutputError, match=r"manifest\.json is damaged; run the job again with --verify"
        ):
            Output.at(tmp_path).manifest()
