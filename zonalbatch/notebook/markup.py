"""Markup: small pieces of HTML that look right on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["bar", "card", "chips", "folded", "grid", "table"]

FRAME = (
    "font:13px/1.5 system-ui,sans-serif;max-width:52em;padding:.6em .9em;margin:.3em 0;"
    "overflow-wrap:anywhere;"
    "border:1px solid rgba(128,128,128,.35);border-radius:6px"
)
FAINT = "opacity:.65"
ACCENT = "#0072b2"
"""Okabe and Ito's blue, told apart from grey by all eyes, on white and on black."""


def card(title: str, subtitle: str, parts: Iterable[str]) -> str:
    """A framed piece of page; parts are markup, the titles are text."""
    head = f'<b>{escape(title)}</b> <span style="{FAINT}">{escape(subtitle)}</span>'
    return f'<div style="{FRAME}">{head}{"".join(parts)}</div>'


def table(rows: Iterable[tuple[str, object]]) -> str:
    """Names and what they have to say, one a line; None is left out."""
    lines = "".join(
        f'<tr><td style="{FAINT};text-align:left;padding:0 1.2em 0 0;vertical-align:top">'
        f'{escape(name)}</td><td style="text-align:left;padding:0">{escape(str(told))}</td></tr>'
        for name, told in rows
        if told is not None
    )
    return f'<table style="font:inherit;border:0;margin:.4em 0;background:none">{lines}</table>'


def chips(words: Sequence[str], most: int = 24) -> str:
    """Short words, side by side; how many more there are."""
    more = f' <span style="{FAINT}">and {len(words) - most:,} more</span>' * (len(words) > most)
    look = "border:1px solid rgba(128,128,128,.35);border-radius:9px;padding:0 .5em;margin:0 .1em"
    return " ".join(f'<code style="{look}">{escape(word)}</code>' for word in words[:most]) + more


def bar(share: float, told: str) -> str:
    """How much of something is done, 0 to 1, and what is said beside it."""
    wide = 100 * min(max(share, 0.0), 1.0)
    return (
        '<div style="height:6px;border-radius:3px;background:rgba(128,128,128,.25);margin:.5em 0">'
        f'<div style="width:{wide:.2f}%;height:6px;border-radius:3px;background:{ACCENT}"></div>'
        f'</div><div style="{FAINT}">{escape(told)}</div>'
    )


def folded(title: str, text: str) -> str:
    """Text that is shown by a click, as it stands."""
    return (
        f'<details style="margin-top:.4em"><summary style="cursor:pointer">{escape(title)}'
        f'</summary><pre style="white-space:pre-wrap;margin:.3em 0">{escape(text)}</pre></details>'
    )


def grid(title: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Rows under names of columns, shown by a click."""
    cell = 'style="text-align:right;padding:0 1.2em 0 0"'

    def row(words: Sequence[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag} {cell}>{escape(word)}</{tag}>' for word in words)}</tr>"

    body = row(head, "th") + "".join(row(line, "td") for line in lines)
    return (
        f'<details style="margin-top:.4em"><summary style="cursor:pointer">{escape(title)}'
        f'</summary><table style="font:inherit;border:0;background:none">{body}</table></details>'
    )
