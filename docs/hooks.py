"""Hooks: what MkDocs does beside Markdown while it builds these pages.

Links are written as they are right in the repository, so that pages can be read there, too; here
they lead to the page that shows the file. ``<!-- include: README.md#beside-others -->`` stands
for a section of another file, ``<!-- made: commands -->`` for a table made from the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from made import commands, job, service
from made.links import Site, section
from mkdocs.structure.files import File

REPOSITORY = Path(__file__).resolve().parent.parent
BROUGHT = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "benchmarks/RESULTS.md",
    "benchmarks/scale.png": "benchmarks/scale.png",
}
"""File of the repository -> file of the site, of what does not lie in docs/."""
MADE: Mapping[str, Callable[[], str]] = {
    "commands": commands.page,
    "job": job.page,
    "settings": service.table,
}
INCLUDE = re.compile(r"^<!-- include: (?P<file>[^#\s]+)#(?P<heading>\S+) -->$", re.M)
MAKE = re.compile(r"^<!-- made: (?P<name>\w+) -->$", re.M)
ASIDE = re.compile(r"^<!-- (not run|before): .*? -->\n", re.M | re.S)


def on_files(files: Any, config: Any) -> Any:
    """Bring in what does not lie in docs/."""
    for origin, target in BROUGHT.items():
        files.append(File.generated(config, target, abs_src_path=str(REPOSITORY / origin)))
    return files


def on_page_markdown(markdown: str, page: Any, files: Any, **_: Any) -> str:
    """The page with its links led right, sections included and tables made."""
    there = {file.src_uri for file in files}
    site = Site(BROUGHT, frozenset(there), page.file.src_uri)

    def included(match: re.Match[str]) -> str:
        text = (REPOSITORY / match["file"]).read_text("utf-8")
        return site.led(section(text, match["heading"]), match["file"])

    text = site.led(ASIDE.sub("", markdown), site.origin)
    text = INCLUDE.sub(included, text)
    return MAKE.sub(lambda match: MADE[match["name"]](), text)
