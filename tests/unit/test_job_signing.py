"""What a source of a job says that it takes to read its files."""

from __future__ import annotations

from typing import Any

import pytest

from zonalbatch.errors import JobError
from zonalbatch.job import Job

BASE: dict[str, Any] = {
    "zones": "z.parquet", "bands": {"red": 1}, "output": {"path": "out"},
}  # fmt: skip


def test_a_job_holds_no_signature() -> None:
    """Links are bare in the document that is kept with the result; it reads back as it was."""
    link = "https://account.blob.core.windows.net/box/a.tif"
    source = {"kind": "cog", "files": [f"{link}?se=x&sig=s3cr3t"], "sign": "planetary-computer"}
    job = Job(**BASE, source=source)
    assert job.source.files == (link,)  # type: ignore[union-attr]
    assert "s3cr3t" not in job.to_yaml()
    assert Job.from_yaml(job.to_yaml()) == job


SIGNED = "https://account.blob.core.windows.net/box/{}?se=x&sig=s3cr3t"


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "cog", "pattern": SIGNED.format("{band}.tif")},
        {"kind": "cog", "files": [SIGNED.format("a.tif")]},
        {"kind": "stac", "items": SIGNED.format("i.json")},
        {"kind": "stac", "items": [SIGNED.format("i.json"), SIGNED.format("j.json")]},
    ],
)
def test_no_link_of_a_job_keeps_a_signature(source: dict[str, Any]) -> None:
    """Patterns, items and weights are kept bare as files are, where they can be signed anew."""
    weights = {"weights": SIGNED.format("w.tif"), "statistics": ["weighted_mean"]}
    job = Job(**BASE | weights, source=source | {"sign": "planetary-computer"})
    assert "s3cr3t" not in job.to_yaml()
    assert ".windows.net/box/w.tif" in job.to_yaml()


def test_items_are_asked_for_by_the_link_that_was_given() -> None:
    """Documents are read without sign."""
    link = SIGNED.format("i.json")
    source: Any = Job(**BASE, source={"kind": "stac", "items": link, "sign": "aws"}).source
    assert source.items == link


@pytest.mark.parametrize(
    "keys",
    [
        {"source": {"kind": "cog", "files": {"r": "https://a.b/x?sig=s3cr3t"}}},
        {"source": "https://a.b/x?sig=s3cr3t"},
        {"source": {"kind": "stac", "api": "https://a.b/x?key=s3cr3t"}},
        {"source": {"kind": "stac", "api": "https://a.b/?key=s3cr3t", "items": "i.json"}},
        {"source": {"kind": "stac", "api": "https://me:s3cr3t@a.b/"}},
        {"source": {"kind": "cog", "files": "a.tif"}, "zones": ["https://a.b/z?sig=s3cr3t"]},
    ],
)
def test_a_refused_job_shows_no_secret(keys: dict[str, Any]) -> None:
    """The value that is refused stands in the message without its query; an api has none."""
    with pytest.raises(JobError) as caught:
        Job(**BASE | keys)
    assert "s3cr3t" not in str(caught.value)


def test_a_secret_in_a_job_is_refused_and_not_shown() -> None:
    """Its name in the environment belongs there."""
    sign = {"kind": "headers", "headers": {"Authorization": "Bearer s3cr3t"}}
    with pytest.raises(JobError, match=r"source\.sign: header Authorization") as caught:
        Job(**BASE, source={"kind": "stac", "items": "i.json", "sign": sign})
    assert "s3cr3t" not in str(caught.value)
