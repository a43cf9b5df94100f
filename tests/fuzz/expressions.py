"""Hostile expressions: of any length and depth, of any characters, and nearly right ones."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np

from zonalbatch.expression import parse

GOOD = (
    "(nir - red) / (nir + red)",
    "where(a > 0.3, log(a), -b ** 2)",
    "max(a, b, 3e-4) <= 1",
    "2.5 * ((nir - red) / (nir + 6 * red - 7.5 * blue + 1))",
)
TOKENS = (
    "a",
    "b",
    "nir",
    "0",
    "1",
    "1e308",
    "1e999",
    "0x1f",
    "1_0",
    "1j",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "+",
    "-",
    "*",
    "/",
    "**",
    "//",
    "%",
    "@",
    "<",
    "<=",
    "==",
    "!=",
    ":=",
    "=",
    ",",
    ".",
    ":",
    ";",
    "~",
    "abs(",
    "exp(",
    "max(",
    "where(",
    "log",
    "lambda",
    "__import__('os')",
    "if",
    "else",
    "for",
    "in",
    "not",
    "and",
    "await",
    "yield",
    "None",
    "True",
    "f'{a}'",
    "'x'",
    '"',
    "\\",
    "\n",
    "\0",
    "\t",
    "#",
    "é",
    "\ufb01",
    "\U0001d44e",
    "\u202e",
    "\ud800",
    "...",
    "a.b",
    "__class__",
    "9" * 5000,
)
BRACKETS = (
    ("(", ")"),
    ("-", ""),
    ("abs(", ")"),
    ("a+(", ")"),
    ("[", "]"),
    ("a**", "a"),
    ("not ", ""),
    ("a if a else ", "a"),
    ("lambda:", ""),
    ("where(a,a,", ")"),
    ("a,", ""),
    ("a<", "a"),
)


def ready(folder: Path) -> None:
    """Nothing is needed."""


def case(chance: Random) -> str:
    """A hostile expression."""
    way = chance.randrange(4)
    if way == 0:
        return "".join(chance.choices(TOKENS, k=chance.randrange(1, 40)))
    if way == 1:
        left, right = chance.choice(BRACKETS)
        depth = chance.choice((3, 60, 64, 66, 100, 1000, 4000, 20_000))
        return left * depth + "a" + right * depth
    if way == 2:
        return "".join(chr(chance.randrange(1, 0x3000)) for _ in range(chance.randrange(200)))
    text = list(chance.choice(GOOD))
    for _ in range(chance.randrange(1, 5)):
        text.insert(chance.randrange(len(text) + 1), chance.choice(TOKENS))
        del text[chance.randrange(len(text))]
    return "".join(text)


def check(text: str) -> None:
    """Parse it and, if that is possible, compute it."""
    found = parse(text)
    values = {name: np.array([0.0, -1.0, np.nan, np.inf, 1e300]) for name in found.names}
    assert found(values).shape in ((5,), ())
    assert parse(found.canonical).canonical == found.canonical
