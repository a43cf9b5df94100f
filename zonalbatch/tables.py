"""Tables: a result told to the user, printed or written in the format that a file's name says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zonalbatch.breakdown import number_text
from zonalbatch.errors import InputError, OutputError

__all__ = ["teller"]

WIDTH = 40
"""Characters of a list that are printed."""


def teller(out: Path | None, rows: str | None = None) -> Callable[[Any], None]:
    """What prints a frame or, given a path, writes it to a file with this ending.

    A frame without geometry has no place in .gpkg and .geojson.

    Lists are JSON in all formats but Parquet, which knows lists.

    Args:
        out: where to; None prints.
        rows: the head of an index without a name where it is printed; None leaves it out.

    Raises:
        InputError: the ending is unknown.
        OutputError: there is no such folder.
    """
    if out is None:
        return lambda frame: _print_frame(frame, rows)

    def csv(frame: Any) -> None:
        plain = _without_shapes(_with_text(frame))
        plain.to_csv(out, index=frame.index.name is not None)

    writers = {
        ".parquet": lambda frame: frame.to_parquet(out),
        ".gpkg": lambda frame: _with_text(frame).to_file(out, driver="GPKG"),
        ".geojson": lambda frame: _with_text(frame).to_file(out, driver="GeoJSON"),
        ".csv": csv,
    }
    if out.suffix.lower() not in writers:
        raise InputError(f"cannot write {out}: use a name that ends in {', '.join(writers)}")

    if not out.parent.is_dir():
        raise OutputError(f"cannot write {out}: there is no folder {out.parent}; make it first")

    def write(frame: Any) -> None:
        if not hasattr(frame, "geometry") and out.suffix.lower() in (".gpkg", ".geojson"):
            raise InputError(
                f"cannot write {out}: the rows have no geometry; use a name that ends in .parquet "
                "or .csv"
            )
        try:
            writers[out.suffix.lower()](frame)
        except (OSError, RuntimeError) as error:  # pyogrio's errors are of the second kind
            raise OutputError(f"cannot write {out}: {error}") from error
        print(f"wrote {len(frame):,} rows to {out}")

    return write


def _print_frame(frame: Any, rows: str | None) -> None:
    table = _without_shapes(_with_text(frame, WIDTH))
    head = table.index.name or rows
    if head is not None:
        table.insert(0, head, table.index, allow_duplicates=True)
    print(table.to_string(max_rows=60, max_cols=20, index=False))


def _without_shapes(frame: Any) -> Any:
    return frame.drop(columns=frame.geometry.name) if hasattr(frame, "geometry") else frame


def _with_text(frame: Any, width: int | None = None) -> Any:
    """A frame with lists as JSON, cut to a width."""
    from zonalbatch.list_column import ListType

    lists = [name for name, kind in frame.dtypes.items() if isinstance(kind, ListType)]
    return frame.assign(**{name: frame[name].map(lambda v: _json(v, width)) for name in lists})


def _json(value: Any, width: int | None) -> Any:
    """The JSON of a list; (class, value) pairs are an object."""
    pairs = len(value) > 0 and isinstance(value[0], dict)
    plain = {number_text(v["class"]): v["value"] for v in value} if pairs else value
    text = json.dumps(plain)
    return text if width is None or len(text) <= width else f"{text[: width - 1]}…"
