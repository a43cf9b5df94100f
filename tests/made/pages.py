"""Pages: the blocks of code in Markdown, and a reader who types them one after the other.

A block is left out where a comment stands right before it: ``<!-- not run: reason -->``. What
stands in a block of text right behind another block is what that one prints; ``…`` stands for
anything.

A block of YAML is a job where it has a version, or else keys to be written into the last one; each
is checked, and is the ``job.yaml`` of what comes behind it. A block of YAML or Python that begins
with the name of a file, as a comment, is that file.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
import subprocess
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.made.commands import environment
from zonalbatch.job import Job

__all__ = ["RUN", "Block", "Reader", "blocks_of"]

RUN = ("python", "sh", "yaml")
"""Languages of blocks that are run or checked."""
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$"
    r"(?:\n+^```text\n(?P<shown>.*?)^```$)?",
    re.M | re.S,
)
PATIENCE = 300.0
"""Seconds that a block of commands may take."""
NAMED = re.compile(r"# (\S+\.(?:yaml|py))\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Code on a page."""

    language: str
    text: str
    line: int
    """Where it begins, from 1."""
    reason: str
    """Why it is not run; empty if it is."""
    shown: str | None
    """What it prints, as the page says."""


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Block(
            language=found["language"], text=found["text"], reason=found["reason"] or "",
            shown=found["shown"], line=text[: found.start()].count("\n") + 1,
        )
        for found in FENCE.finditer(text)
    ]  # fmt: skip


@dataclass
class Reader:
    """Somebody who types what a page says, in a folder."""

    folder: Path
    """Where commands are typed; also this process's folder."""
    here: Mapping[str, str]
    """What a page says -> what stands for it here: links of the world, as links of loopback."""
    names: dict[str, Any] = field(default_factory=dict)
    """What Python knows by now."""
    differences: list[str] = field(default_factory=list)
    """Where the page shows something else than is printed."""

    def __post_init__(self) -> None:
        self.module = types.ModuleType("__main__")
        self.names = self.module.__dict__

    def read(self, block: Block) -> None:
        """Run or check a block; that it prints something else than the page shows is noted."""
        text = self._as_here(block.text)
        printed = {"python": self._python, "sh": self._shell, "yaml": self._yaml}[block.language](
            text
        )
        if block.shown is not None and not is_shown(self._as_here(block.shown), printed):
            self.differences.append(f"line {block.line} shows\n{block.shown}but prints\n{printed}")

    def _as_here(self, text: str) -> str:
        for said, stands in self.here.items():
            text = text.replace(said, stands)
        return text

    def _python(self, text: str) -> str:
        if named := NAMED.match(text):
            (self.folder / named[1]).write_text(text)
            return ""
        code = compile(text, "<page>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            if code.co_flags & inspect.CO_COROUTINE:
                asyncio.run(eval(code, self.names))
            else:
                exec(code, self.names)
        return printed.getvalue()

    def _shell(self, text: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder, env=environment() | {"COLUMNS": "100", "TERM": "dumb"},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout

    def _yaml(self, text: str) -> str:
        named = NAMED.match(text)
        file = self.folder / (named[1] if named else "job.yaml")
        if named and not file.name.startswith("job"):
            yaml.safe_load(text)
            file.write_text(text)
            return ""
        document = yaml.safe_load(text)
        if "version" not in document:
            document = yaml.safe_load((self.folder / "job.yaml").read_text()) | document
            text = yaml.safe_dump(document, sort_keys=False)
        file.write_text(text)
        Job.from_file(file, allow_code=True)
        return ""


def is_shown(shown: str, printed: str) -> bool:
    """What is printed is what is shown, but for spaces at ends of lines, and for ``…``."""
    wanted, got = (_stripped(one) for one in (shown, printed))
    pattern = ".*?".join(re.escape(part) for part in wanted.split("…"))
    return re.fullmatch(pattern, got, re.S) is not None


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).strip()
