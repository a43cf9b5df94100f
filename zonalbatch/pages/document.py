"""Document: markup, style, script and data, as one text of HTML.

Its policy lets in nothing from elsewhere, and no script but its own: whatever the data say, they
are data.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any

from zonalbatch.pages.modules import ASSETS, script

__all__ = ["document", "part"]


def document(*, title: str, body: str, styles: Sequence[str], entry: str, data: Any) -> str:
    """A whole page.

    Args:
        title: as text.
        body: as markup, in which all data are escaped.
        styles: names of style sheets, in order.
        entry: name of the module that starts it.
        data: what the module finds, whatever JSON can say.
    """
    style, program = "\n".join(_asset(f"{name}.css") for name in styles), script(entry)
    policy = (
        f"default-src 'none'; script-src {_allowed(program)}; style-src {_allowed(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Template(_asset("page.html")).substitute(
        policy=policy, title=escape(title), style=style, body=body, script=program,
        data=_data(data),
    )  # fmt: skip


def part(name: str, **words: str) -> str:
    """A piece of markup with words put into it, as text."""
    return Template(_asset(f"{name}.html")).substitute(
        {key: escape(word) for key, word in words.items()}
    )


def _data(data: Any) -> str:
    """JSON that ends no element and opens none."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _allowed(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _asset(name: str) -> str:
    return (ASSETS / name).read_text(encoding="utf-8")
