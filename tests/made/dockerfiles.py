"""Dockerfiles: what their stages say, and what of a folder goes to the builder."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import Template

from tests.conftest import REPOSITORY

__all__ = ["Dockerfile", "Stage", "Step", "context", "dockerfile"]


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction."""

    word: str
    """In capitals, as `RUN`."""
    text: str
    """What follows it, on one line."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, with all that those before it set."""

    name: str
    base: str
    """The image or the stage that it is made from."""
    steps: tuple[Step, ...] = ()
    """Its own."""
    environment: dict[str, str] = field(default_factory=dict)
    """As a program of it finds it, but for what the first image sets."""

    def said(self, word: str) -> list[str]:
        """What its own instructions of a kind say."""
        return [step.text for step in self.steps if step.word == word]

    def listed(self, word: str) -> list[str]:
        """The words of the last instruction of a kind, which is a JSON list."""
        text = self.said(word)[-1]
        words: list[str] = json.loads(text[text.index("[") :])
        return words

    def pairs(self, word: str) -> dict[str, str]:
        """The pairs ``name=value`` of all instructions of a kind."""
        words = [one for text in self.said(word) for one in shlex.split(text)]
        return dict(one.split("=", 1) for one in words)


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What a Dockerfile says, with its arguments as they are where none is given."""

    stages: tuple[Stage, ...]

    @property
    def final(self) -> Stage:
        """What becomes the image."""
        return self.stages[-1]

    def stage(self, name: str) -> Stage:
        """The stage of a name."""
        return next(one for one in self.stages if one.name == name)


def dockerfile(path: Path = REPOSITORY / "Dockerfile") -> Dockerfile:
    """A Dockerfile; ours, if none is named."""
    given: dict[str, str] = {}
    stages: list[Stage] = []
    for step in _steps(path.read_text()):
        if step.word == "FROM":
            base, *name = re.split(r"(?i) +AS +", Template(step.text).substitute(given))
            before = next((one.environment for one in stages if one.name == base), {})
            stages.append(Stage("".join(name), base, environment=dict(before)))
            continue
        if step.word == "ARG":
            name_, _, value = step.text.partition("=")
            given[name_] = value
        if stages:
            stages[-1] = replace(stages[-1], steps=(*stages[-1].steps, step))
        if step.word == "ENV":
            known = given | stages[-1].environment
            filled = Stage("", "", (Step("ENV", Template(step.text).safe_substitute(known)),))
            stages[-1].environment.update(filled.pairs("ENV"))
    return Dockerfile(tuple(stages))


def _steps(text: str) -> list[Step]:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in whole.splitlines()]


def context(folder: Path = REPOSITORY, ignored: Path | None = None) -> list[Path]:
    """The files below a folder, from there on, that its .dockerignore lets through.

    The last pattern that fits a path or a folder above it decides, as Docker has it.
    """
    rules = [
        (not line.startswith("!"), _pattern(line.removeprefix("!")))
        for line in (ignored or folder / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    def passes(path: Path) -> bool:
        names = [str(one) for one in (path, *path.parents[:-1])]
        fits = [out for out, rule in rules if any(rule.fullmatch(name) for name in names)]
        return not (fits and fits[-1])

    files = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in files if passes(path)]


def _pattern(line: str) -> re.Pattern[str]:
    """A pattern of Go's ``filepath.Match``, in which ``**`` stands for any number of folders."""
    parts = re.split(r"(\*\*/|\*|\?|\[[^]]*\])", line)
    known = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}
    return re.compile(
        "".join(known.get(p, p if p.startswith("[") else re.escape(p)) for p in parts)
    )
