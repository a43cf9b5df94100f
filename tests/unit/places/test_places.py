"""What every place does, in a folder as in a bucket."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from zonalbatch.errors import InputError, OutputError
from zonalbatch.places import Place, place_of


def put(place: Place, data: bytes) -> None:
    """Write a file."""
    with place.replacing() as file:
        file.write(data)


class TestNames:
    """Where it lies."""

    def test_a_name_is_its_place(self, place: Place) -> None:
        """`place_of` of its text is the place, also in another process."""
        file = place / "plan" / "parts.parquet"
        assert place_of(str(file)) == file
        assert (file.name, file.stem, file.parent) == ("parts.parquet", "parts", place / "plan")
        assert file.parent.parent == place

    def test_no_bucket(self) -> None:
        """A link without one is refused."""
        for scheme in ("s3", "gs"):
            with pytest.raises(InputError, match=f"names no bucket; write it as {scheme}://bucket"):
                place_of(f"{scheme}:///out")

    @pytest.mark.parametrize(
        "link",
        ["s3://AKIA:PASSW0RD@bucket/x", "https://u:PASSW0RD@h/x?token=PASSW0RD",
         "s3:/AKIA:PASSW0RD@bucket/x", "file:///out"],
    )  # fmt: skip
    def test_links_that_are_none(self, link: str) -> None:
        """Neither a link with its secret nor one of another kind is a place, or is told whole."""
        with pytest.raises(InputError, match=r"give a folder|leave them out") as caught:
            place_of(link)
        assert "PASSW0RD" not in str(caught.value)


class TestFiles:
    """Files appear whole or not at all."""

    def test_nothing_is_there(self, place: Place) -> None:
        """It has no size and no text, and can be removed."""
        file = place / "a.json"
        assert not file.exists()
        for ask in (file.size, file.read_bytes, file.read_text):
            with pytest.raises(FileNotFoundError):
                ask()
        file.remove()

    @pytest.mark.parametrize("size", [0, 5, 20 * 2**20])
    def test_what_is_written_is_read(self, place: Place, size: int) -> None:
        """Bytes and size, small and large; a second one takes the place of the first."""
        place.make()
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        put(place / "a", b"first")
        put(place / "a", data)
        assert (place / "a").read_bytes() == data
        assert (place / "a").size() == len(data)
        assert place.files() == {"a": len(data)}

    def test_what_fails_leaves_nothing(self, place: Place) -> None:
        """What was there stays."""
        place.make()
        put(place / "a", b"first")
        with pytest.raises(ZeroDivisionError), (place / "a").replacing() as file:
            file.write(b"%d" % (1 // 0))
        assert (place / "a").read_text() == "first"
        assert place.files() == {"a": 5}

    def test_parquet(self, place: Place) -> None:
        """pyarrow reads a file's metadata, some row groups, or all."""
        place.make()
        table = pa.table({"a": range(1000), "b": ["x"] * 1000})
        with (place / "t.parquet").replacing() as file:
            pq.write_table(table, file, row_group_size=100)
        source = pq.ParquetFile((place / "t.parquet").source())
        assert source.metadata.num_rows == 1000
        assert source.read_row_groups([3], columns=["a"])["a"][0].as_py() == 300
        assert pq.read_table((place / "t.parquet").source()) == table
        assert pq.read_table(
            (place / "t.parquet").source(), filters=[("a", "==", 7)]
        ).num_rows == 1  # fmt: skip

    def test_changes(self, place: Place) -> None:
        """A small file goes from its text to the next."""
        place.make()
        for _ in range(3):
            (place / "m.json").change(lambda text: (text or "") + "x")
        assert (place / "m.json").read_text() == "xxx"


class TestFolders:
    """What lies where."""

    def test_what_lies_right_below(self, place: Place) -> None:
        """Files by name, folders by name, and nothing that is hidden."""
        for name in ("results", "plan"):
            (place / name).make()
        put(place / "manifest.json", b"{}")
        put(place / ".lock", b"")
        put(place / "results" / "part-a.parquet", b"abc")
        put(place / "plan" / "x.json", b"")
        assert place.files() == {"manifest.json": 2}
        assert place.folders() == {"results", "plan"}
        assert (place / "results").files() == {"part-a.parquet": 3}
        assert (place / "nowhere").files() == {}
        assert (place / "nowhere").folders() == set()

    def test_a_folder_with_all_in_it_goes(self, place: Place) -> None:
        """And nothing else, whose name begins as its does."""
        for name in ("plan", "plane"):
            (place / name / "deep").make()
            put(place / name / "deep" / "a", b"1")
            put(place / name / "b", b"1")
        (place / "plan").clear()
        (place / "nowhere").clear()
        assert place.folders() == {"plane"}
        assert (place / "plane" / "deep").files() == {"a": 1}

    def test_a_draft_is_taken_in(self, place: Place) -> None:
        """All its files under one name, in place of what had it; a draft that fails leaves none."""
        for text in ("first", "second"):
            with place.draft() as draft:
                (draft / "recipe.json").write_text("{}")
                (draft / "a.parquet").write_text(text)
                place.adopt(draft, "abc", last="recipe.json")
        assert place.folders() == {"abc"}
        assert (place / "abc").files() == {"recipe.json": 2, "a.parquet": 6}
        with pytest.raises(ZeroDivisionError), place.draft() as draft:
            (draft / "recipe.json").write_text(f"{1 // 0}")
        assert place.folders() == {"abc"}

    def test_one_run_at_a_time(self, place: Place) -> None:
        """A second one is kept out until the first lets go."""
        with place.held() as check:
            check()
            with pytest.raises(OutputError, match="another run is writing to"), place.held():
                pass
        with place.held():
            pass
        assert place.files() == {}


def test_leftovers_go(tmp_path: Path) -> None:
    """What killed writers left under temporary names; nothing else that is hidden."""
    place = place_of(tmp_path)
    left = ".part-a.parquet.0f8fad5b-d9cb-469f-a165-70867728950e"
    for name in (left, ".lock", ".hidden", "part-a.parquet"):
        (tmp_path / name).write_text("x")
    (tmp_path / ".draft-0f8fad5b-d9cb-469f-a165-70867728950e").mkdir()
    place.sweep()
    assert sorted(one.name for one in tmp_path.iterdir()) == [".hidden", ".lock", "part-a.parquet"]


def test_a_bucket_that_is_not_there(in_bucket: Place) -> None:
    """Told in one sentence, without the answer's XML."""
    elsewhere = place_of("s3://no-such-bucket-anywhere/out")
    with pytest.raises(OutputError, match="no-such-bucket-anywhere") as caught, elsewhere.held():
        pass
    assert "<" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
