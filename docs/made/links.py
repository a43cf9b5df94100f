"""Links: from files of the repository to pages of the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Site", "section"]

LINK = re.compile(
    r"(?P<image>!?)\[(?P<text>[^\[\]]*)\]\((?P<path>[^()#:\s]+)(?P<anchor>#[^()\s]*)?\)"
)
FENCE = re.compile(r"(^```.*?^```$)", re.M | re.S)


@dataclass(frozen=True, slots=True)
class Site:
    """Where files of the repository are shown, seen from one page."""

    brought: Mapping[str, str]
    """File of the repository -> file of the site, of what does not lie in docs/."""
    there: frozenset[str]
    """All files of the site."""
    page: str
    """The page that links stand on, as the site names it."""

    @property
    def origin(self) -> str:
        """The page's own file in the repository."""
        back = {target: origin for origin, target in self.brought.items()}
        return back.get(self.page, f"docs/{self.page}")

    def led(self, text: str, origin: str) -> str:
        """A text of a file with its links leading to pages; blocks of code are left as they are."""
        parts = FENCE.split(text)
        return "".join(
            part if part.startswith("```") else LINK.sub(lambda m: self._link(m, origin), part)
            for part in parts
        )

    def _link(self, match: re.Match[str], origin: str) -> str:
        """A link; its text alone, where the site does not show what it leads to."""
        file = posixpath.normpath(posixpath.join(posixpath.dirname(origin), match["path"]))
        target = self.brought.get(file, file.removeprefix("docs/") if "docs/" in file else "")
        if target not in self.there:
            return match["text"]
        path = posixpath.relpath(target, posixpath.dirname(self.page) or ".")
        return f"{match['image']}[{match['text']}]({path}{match['anchor'] or ''})"


def section(text: str, heading: str) -> str:
    """What stands below a heading of the second level, up to the next.

    Raises:
        KeyError: there is no such heading.
    """
    for part in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = part.partition("\n")
        if re.sub(r"[^\w]+", "-", title.lower()).strip("-") == heading:
            return body.strip()
    raise KeyError(heading)
