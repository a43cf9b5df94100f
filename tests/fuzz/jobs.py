"""Hostile job files: broken text, odd types, deep nesting, aliases, values that fit no key."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.fuzz.worker import SECRET
from zonalbatch.job import Job

GOOD: dict[str, Any] = {
    "version": 1,
    "zones": {"path": "zones.gpkg", "id": "field", "columns": ["crop"], "buffer": -10},
    "source": {
        "kind": "cog",
        "files": ["a.tif", "b.tif"],
        "trusted": False,
        "sign": {"kind": "headers", "headers": {"Authorization": "Bearer ${TOKEN}"}},
    },
    "bands": {
        "red": 1,
        "nir": {"index": 2, "nodata": 0, "scale_offset": {"scale": 2, "offset": 1}},
    },
    "measurements": {"ndvi": "(nir - red) / (nir + red)"},
    "mask": {"band": "red", "exclude": [1, 2], "dilate": 20},
    "statistics": ["count", "mean", "p90", "valid_fraction"],
    "pick": {"every": "month"},
    "temporal": {"every": "month"},
    "output": {"path": "out"},
    "limits": {"memory": "1GiB", "requests_in_flight": 8},
}
ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**70,
    10**4000,
    1e400,
    float("nan"),
    float("-inf"),
    "",
    " ",
    "\0",
    "\n",
    "a" * 100_000,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"a": {"a": 1}}},
    "module:function",
    "os:system",
    f"https://me:{SECRET}@host/a.tif?sig={SECRET}",
    "file:///etc/passwd",
    "/vsicurl/x",
    {"kind": "nothing"},
    {"kind": "stac", "items": f"https://me:{SECRET}@host/i.json"},
    {"kind": "stack", "items": "i.json", "epsg": 10**30, "resolution": 1e-300},
    {"kind": "stac", "api": "https://host", "bbox": [float("nan")] * 4},
    {"kind": "headers", "headers": {"Authorization": SECRET}},
    ["x"] * 3000,
    "é\u202e",
    "\ud800",
    "{date:%Q}{band}{band}",
    "((((",
    "9" * 5000,
    "1e999GiB",
    "-0d",
)
PIECES = (
    "&a ",
    "*a",
    "<<: *a",
    "!!python/object/apply:os.system ['true']",
    "!!binary x",
    "!!set {}",
    "!!timestamp 2024-01-01",
    "!!int x",
    "!!float x",
    "? [a]\n: b\n",
    "? {a: b}\n: c\n",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "\t",
    "\0",
    "%YAML 9.9\n",
    "---\n",
    "...\n",
    "|\n",
    ">\n",
    '"',
    "'",
    "#",
    "@",
    "`",
    "\r",
    "\u2028",
    "\ufeff",
    "é",
    "2024-01-01: x\n",
    "1: 2\n",
    "null: 1\n",
    "9" * 5000,
    "0x" + "f" * 5000,
    "1:30",
    ".nan",
    "~",
    "\x07",
    "\U0010ffff",
)
DEEP = ("[", "{a: ", "- ", "[[", "? ", '{"a":', "!!seq [", "- - ", "&a [")

_folder = Path()


def ready(folder: Path) -> None:
    """Remember where job files are written."""
    global _folder
    _folder = folder
    check(("good.yaml", yaml.safe_dump(GOOD, sort_keys=False).encode()))


def _dumped(document: Any, *, as_json: bool) -> str:
    """A document as text; one that holds itself can be YAML alone, by anchors."""
    if as_json:
        with suppress(ValueError, RecursionError):
            return json.dumps(document)
    return yaml.dump(document, sort_keys=False)


def case(chance: Random) -> tuple[str, bytes]:
    """Name and content of a hostile job file."""
    way, as_json = chance.randrange(5), chance.random() < 0.4
    name = "job.json" if as_json else "job.yaml"
    text = json.dumps(GOOD, indent=1) if as_json else yaml.safe_dump(GOOD, sort_keys=False)
    if way == 0:
        return name, chance.randbytes(chance.randrange(300))
    if way == 1:
        deep = chance.choice(DEEP) * chance.choice((50, 900, 3000, 100_000))
        return name, (chance.choice(("", "a: ", "zones: ")) + deep).encode()
    if way == 2:
        return name, _laughs(chance).encode()
    if way == 3:
        return name, _mangled(text, chance).encode("utf-8", "surrogatepass")
    document = copy.deepcopy(GOOD)
    for _ in range(chance.randrange(1, 4)):
        _replace(document, chance)
    dumped = _dumped(document, as_json=as_json)
    return name, dumped.encode("utf-8", "surrogatepass")


def _laughs(chance: Random) -> str:
    """Aliases of aliases: 10^9 values in a page."""
    first = "a0: &a0 [ha, ha]\n"
    width = chance.randrange(2, 12)
    return first + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * width)}]\n" for i in range(1, 30)
    )


def _mangled(text: str, chance: Random) -> str:
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text) + 1)
        cut = chance.choice((0, 0, 1, 5, 40))
        text = text[:at] + chance.choice(PIECES) + text[at + cut :]
    return text


def _replace(document: dict[str, Any], chance: Random) -> None:
    """Put an odd value, or an odd key, somewhere into a document."""
    here: Any = document
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(here[key], dict | list) and here[key] and chance.random() < 0.6:
            here = here[key]
            continue
        if isinstance(here, dict) and chance.random() < 0.2:
            here[chance.choice(("x" * 5000, "", "sgin", "Path", "é", "kind"))] = 1
        here[key] = chance.choice(ODD)
        return


def check(case: tuple[str, bytes]) -> None:
    """Read it as a job; what can be read can be written and read again."""
    name, content = case
    path = _folder / name
    path.write_bytes(content)
    job = Job.from_file(path)
    assert "os" not in job.to_yaml() or job.statistics
