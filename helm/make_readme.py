"""Readme: the table of values in helm/README.md, made of the comments in values.yaml.

python helm/make_readme.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
VALUES = HERE / "zonalbatch" / "values.yaml"
README = HERE / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->\n"
MARK = "# -- "


def meanings(text: str) -> Iterator[tuple[str, str]]:
    """Each key that a comment tells of, with dots, and what it says."""
    above: list[tuple[int, str]] = []
    told = ""
    for line in text.splitlines():
        words = line.strip()
        if words.startswith(MARK):
            told = words.removeprefix(MARK)
        elif words and words[0] not in "#-":
            depth = len(line) - len(line.lstrip())
            above = [(other, key) for other, key in above if other < depth]
            above.append((depth, words.partition(":")[0]))
            if told:
                yield ".".join(key for _, key in above), told
            told = ""


def default(values: Mapping[str, Any], key: str) -> str:
    """The value of a key with dots, as JSON."""
    value: Any = values
    for name in key.split("."):
        value = value[name]
    return json.dumps(value)


def table(text: str) -> str:
    """The values as rows of Markdown."""
    values = yaml.safe_load(text)
    rows = (f"| `{key}` | {told} | `{default(values, key)}` |\n" for key, told in meanings(text))
    return "| value | meaning | default |\n| --- | --- | --- |\n" + "".join(rows)


def renewed(readme: str, text: str) -> str:
    """A readme with the table of a values file in its place."""
    before, _, rest = readme.partition(BEGIN)
    return before + BEGIN + table(text) + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(), VALUES.read_text()))
