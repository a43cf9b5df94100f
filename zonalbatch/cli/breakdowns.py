"""Breakdowns: classes, edges and bins as they are typed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from zonalbatch.errors import InputError

__all__ = ["Bins", "Classes", "Edges", "breakdown_typed"]

DOCUMENTS = (".yaml", ".yml", ".json")
"""Endings of a file of classes."""

Classes = Annotated[
    str | None,
    typer.Option(
        help="A column for each class: 1,2 or 1=wheat,2=maize or a file of them (.yaml, .json)."
    ),
]
Edges = Annotated[
    str | None, typer.Option(help="A column for each bin between rising edges: 0,0.2,0.5,1.")
]
Bins = Annotated[
    str | None,
    typer.Option(help="Bins of the list that histogram is: 20, or 0:1:20 from 0 to 1 for all."),
]


def breakdown_typed(
    classes: str | None = None, edges: str | None = None, bins: str | None = None
) -> dict[str, Any]:
    """The arguments ``classes``, ``edges`` and ``bins`` that options stand for; those given.

    Raises:
        InputError: an option is not understood.
    """
    found: dict[str, Any] = {}
    if classes is not None:
        file = Path(classes)
        found["classes"] = _of_file(file) if file.suffix in DOCUMENTS else _classes(classes)
    if edges is not None:
        found["edges"] = [_number(one, f"--edges {edges}", "0,0.2,0.5,1") for one in _pieces(edges)]
    if bins is not None:
        found["bins"] = _bins(bins)
    return found


def _of_file(file: Path) -> Any:
    """The classes of a document: all of it, or its key ``classes``, as a job has it."""
    from zonalbatch.job.text import read_document, read_text

    if not file.is_file():
        raise InputError(f"--classes {file}: there is no such file; write value: name in one")
    document = read_document(read_text(file), str(file), as_json=file.suffix == ".json")
    return document.get("classes", document)


def _classes(text: str) -> list[float] | Mapping[float, str]:
    """Values, or value -> name where any has a name."""
    option, form = f"--classes {text}", "1,2 or 1=wheat,2=maize"
    pairs = [piece.partition("=") for piece in _pieces(text)]
    values = [_number(value, option, form) for value, _, _ in pairs]
    if not any(equals for _, equals, _ in pairs):
        return values
    if len(set(values)) < len(values):
        raise InputError(f"{option}: a value stands twice; give it once")
    names = [name.strip() if equals else value.strip() for value, equals, name in pairs]
    return dict(zip(values, names, strict=True))


def _bins(text: str) -> float | dict[str, float]:
    option, form = f"--bins {text}", "20, or 0:1:20 (start:stop:count)"
    numbers = [_number(one, option, form) for one in text.split(":")]
    if len(numbers) == 1:
        return numbers[0]
    if len(numbers) != 3:
        raise InputError(f"{option} is not understood; give {form}")
    return dict(zip(("start", "stop", "count"), numbers, strict=True))


def _pieces(text: str) -> list[str]:
    return text.split(",")


def _number(text: str, option: str, form: str) -> float:
    """A number as it was typed, whole where it is."""
    try:
        return int(text) if text.strip().lstrip("+-").isdigit() else float(text)
    except ValueError:
        raise InputError(f"{option}: {text.strip()!r} is no number; give {form}") from None
