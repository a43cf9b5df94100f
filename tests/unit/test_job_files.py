"""Job files that are no documents, or hostile ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.made.jobs import write_text
from zonalbatch.errors import JobError
from zonalbatch.job import Job


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty; a job needs"),
        ("- a", "instead of keys with values"),
        ("a: [", "line 1"),
        ("zones: {path: a, path: b}", "'path' stands twice; keep one at line 1, column 18"),
        ("a: &x [1]\nb: *x", "alias"),
        ("a: " + "[" * 5000, "nested too deep"),
        ("a: !!python/object/apply:os.system [ls]", "constructor"),
        ("? [a]\n: 1", "unhashable"),
        ("a: " + "9" * 5000, "integer"),
        ("1: 2", "a key is a text; put it in quotes"),
    ],
)
def test_hostile_yaml(tmp_path: Path, text: str, said: str) -> None:
    """A file that is no document is refused in a sentence, and quickly."""
    with pytest.raises(JobError, match=re.escape(said)):
        Job.from_file(write_text(tmp_path, text))


def test_hostile_json(tmp_path: Path) -> None:
    """JSON is held to the same rules."""
    for text, said in (('{"a": 1, "a": 2}', "twice"), ("[" * 10**5, "deep"), ("{", "line 1")):
        with pytest.raises(JobError, match=said):
            Job.from_file(write_text(tmp_path, text, "job.json"))


def test_unreadable_files(tmp_path: Path) -> None:
    """Missing, huge and binary files are refused."""
    with pytest.raises(JobError, match="cannot be read"):
        Job.from_file(tmp_path / "none.yaml")
    (tmp_path / "big.yaml").write_bytes(b"#" * (4 * 1024**2 + 1))
    with pytest.raises(JobError, match="larger than"):
        Job.from_file(tmp_path / "big.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JobError, match="not UTF-8"):
        Job.from_file(tmp_path / "binary.yaml")


def test_yaml_words_are_text() -> None:
    """on, no, dates and ids with leading zeros are names, as their authors meant."""
    text = (
        "zones: {path: z, columns: [on, no, 007, 2024-01-01]}\nsource: {kind: cog, files: [a]}\n"
        "bands: {on: 1}\nmeasurements: {on: on}\noutput: {path: o}\n"
    )
    job = Job.from_yaml(text)
    assert job.zones.columns == ("on", "no", "007", "2024-01-01")
    assert job.measurements == {"on": "on"}


@pytest.mark.parametrize(
    "text", ["[" * 200_000, "a: " + "{a: " * 70 + "1" + "}" * 70, "- " * 5000, '{"a":' * 100_000]
)
def test_documents_without_end(tmp_path: Path, text: str) -> None:
    """Nesting deeper than any job is refused in a sentence."""
    for name in ("job.yaml", "job.json"):
        (tmp_path / name).write_text(text)
        with pytest.raises(JobError, match=r"nested too deep|Expecting|property name"):
            Job.from_file(tmp_path / name)


def test_a_thousand_problems_are_told_in_part() -> None:
    """The first ones, and how many are left."""
    with pytest.raises(JobError, match="more problems; mend these first") as told:
        Job(zones="a.gpkg", source="a.tif", bands={f"b{i}": {} for i in range(1000)}, output="o")
    assert len(str(told.value)) < 10_000
