"""Addresses: well-known APIs, and what their files want."""

from __future__ import annotations

import pytest

from zonalbatch.asked import access_of
from zonalbatch.errors import SourceError
from zonalbatch.job import Job
from zonalbatch.searches.addresses import KNOWN, address_of


def job(**source: str) -> Job:
    """A job whose scenes come from a source of kind stac."""
    return Job(
        zones="fields.parquet", source={"kind": "stac", **source}, bands={"red": "B04"},
        output={"path": "out"},
    )  # fmt: skip


def kind_of(job: Job) -> str | None:
    """What it takes to read its files."""
    return access_of(job).document.get("kind")


def test_names_stand_for_urls() -> None:
    """A URL stands for itself; a name that is nearly known is offered."""
    assert address_of("earth-search") == KNOWN["earth-search"]
    assert address_of("http://127.0.0.1:9/api") == "http://127.0.0.1:9/api"
    with pytest.raises(SourceError, match="did you mean 'earth-search'"):
        address_of("earthsearch")


@pytest.mark.parametrize("api", ["planetary-computer", KNOWN["planetary-computer"] + "/"])
def test_files_of_planetary_computer_are_signed_without_a_word(api: str) -> None:
    """None of them can be read without."""
    assert kind_of(job(api=api)) == "planetary-computer"


def test_all_others_are_open_unless_the_job_says_so() -> None:
    """What the job says counts."""
    assert kind_of(job(api="earth-search")) is None
    assert kind_of(job(items="items.json")) is None
    signed = job(items="items.json", sign="planetary-computer")
    assert kind_of(signed) == "planetary-computer"
