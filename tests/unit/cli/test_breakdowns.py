"""Classes, edges and bins as they are typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from zonalbatch.arguments import breakdown_given
from zonalbatch.breakdown import Bins, Breakdown
from zonalbatch.cli.breakdowns import breakdown_typed
from zonalbatch.errors import InputError

FORMS: list[tuple[dict[str, str], Breakdown]] = [
    ({"classes": "1,2.5"}, Breakdown(classes=(("1", 1.0), ("2.5", 2.5)))),
    ({"classes": "1=wheat, -2=maize,7"}, Breakdown(
        classes=(("wheat", 1.0), ("maize", -2.0), ("7", 7.0))
    )),
    ({"edges": "-1,0,2e3"}, Breakdown(edges=(-1.0, 0.0, 2000.0))),
    ({"bins": "20"}, Breakdown(bins=Bins(20))),
    ({"bins": "-0.5:1:3"}, Breakdown(bins=Bins(3, (-0.5, 1.0)))),
    ({}, Breakdown()),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "meant"), FORMS)
def test_forms(typed: dict[str, str], meant: Breakdown) -> None:
    """Each form has one meaning."""
    found: dict[str, Any] = {"classes": None, "edges": None, "bins": None} | breakdown_typed(
        **typed
    )
    assert breakdown_given(**found) == meant


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.yaml", "1: wheat\n2: maize, late\n"),
        ("job.yml", "zones: z\nclasses: {1: wheat, 2: 'maize, late'}\n"),
        ("classes.json", '{"1": "wheat", "2": "maize, late"}'),
    ],
)
def test_a_file(tmp_path: Path, name: str, text: str) -> None:
    """A document of value: name, or one with the key classes, such as a job."""
    (tmp_path / name).write_text(text)
    found = breakdown_typed(classes=str(tmp_path / name))
    meant = breakdown_given(found["classes"], None, None)
    assert meant.classes == (("wheat", 1.0), ("maize, late", 2.0))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"classes": "wheat=1"}, "--classes wheat=1: 'wheat' is no number; give 1,2 or 1=wheat"),
        ({"classes": "1=a,1=b"}, "a value stands twice"),
        ({"classes": "no.yaml"}, "--classes no.yaml: there is no such file"),
        ({"edges": "0,,1"}, "--edges 0,,1: '' is no number; give 0,0.2,0.5,1"),
        ({"bins": "0:1"}, "--bins 0:1 is not understood; give 20, or 0:1:20"),
        ({"bins": "many"}, "--bins many: 'many' is no number; give 20, or 0:1:20"),
    ],
)
def test_refused(typed: dict[str, str], said: str) -> None:
    """The option, what was typed, and what to type."""
    with pytest.raises(InputError) as caught:
        breakdown_typed(**typed)
    assert said in str(caught.value)
