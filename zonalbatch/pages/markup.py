"""Markup: pieces of HTML, in which every text is a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Ready", "facts", "lines", "paragraph", "section", "table"]


class Ready(str):
    """Text that is markup already."""


def section(name: str, title: str, *pieces: str) -> str:
    """A part of a page with a heading; pieces are markup."""
    inner = "\n".join(piece for piece in pieces if piece)
    return f'<section id="{name}" class="panel"><h2>{escape(title)}</h2>\n{inner}\n</section>\n'


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; nothing of no text."""
    named = f' class="{kind}"' if kind else ""
    return f"<p{named}>{escape(text)}</p>" if text else ""


def lines(texts: Iterable[str]) -> str:
    """A list of sentences."""
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in texts) + "</ul>"


def facts(pairs: Iterable[tuple[str, str]], kind: str = "facts") -> str:
    """What and how much, or what and how."""
    inner = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in pairs)
    return f'<dl class="{kind}">{inner}</dl>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """A table; columns of numbers are named by their places."""
    kinds = [' class="number"' if at in numbers else "" for at in range(len(heads))]
    head = "".join(f'<th scope="col"{kind}>{escape(one)}</th>'
                   for one, kind in zip(heads, kinds, strict=True))  # fmt: skip
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{_cell(one)}</td>" for one, kind in zip(row, kinds, strict=True))
        + "</tr>"
        for row in rows
    )
    whole = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide">{whole}</div>'


def _cell(text: str) -> str:
    return text if isinstance(text, Ready) else escape(text)
