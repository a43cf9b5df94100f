"""Reports in a notebook: what a run did, and what it could not read."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from zonalbatch.notebook.markup import bar, card, table
from zonalbatch.progress import size_text

if TYPE_CHECKING:
    from zonalbatch.receipts import Report

__all__ = ["report_html"]


def report_html(report: Report) -> str:
    """Rows, parts, time, failures, and how to look at them."""
    there = report.parts - report.computed
    rows: list[tuple[str, object]] = [
        ("rows", f"{report.rows:,}"),
        ("size", size_text(report.bytes)),
        ("parts", f"{report.parts:,}" + (f", {there:,} were there already" if there else "")),
        ("time", f"{report.seconds:,.1f} s"),
        ("output", report.output),
        ("not read", f"{report.failures:,}: see .failures" if report.failures else None),
    ]
    notes = [f'<p style="margin:.4em 0">{escape(note)}</p>' for note in report.notes]
    whole = bar(1.0, "all parts are done")
    look = f"zb.open_results({report.output!r}).gdf"
    return card("Report", "", [table(rows), whole, *notes, f"<code>{escape(look)}</code>"])
