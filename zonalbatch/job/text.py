"""Text: documents read from YAML and JSON, strictly, and written as YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, ClassVar

import yaml

from zonalbatch.errors import JobError
from zonalbatch.job.problems import repeated, shown

__all__ = ["read_document", "read_text", "write_document"]

MAX_BYTES = 4 * 1024**2
"""Longest job file that is read, bytes."""
MAX_DEPTH = 64
"""Deepest nesting of a job file."""


def read_text(file: Path) -> str:
    """The text of a job file, without a byte order mark."""
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise JobError(f"{file} is larger than {MAX_BYTES} bytes; a job document is a page")
        return data.decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise JobError(f"{file} cannot be read ({reason}); give the path of a job file") from None
    except UnicodeDecodeError:
        raise JobError(f"{file} is not UTF-8 text; write the job as YAML or JSON") from None


def read_document(text: str, name: str, *, as_json: bool) -> dict[Any, Any]:
    """The plain values of a YAML or JSON text."""
    read: Callable[[str], Any] = _load_json if as_json else _load_yaml
    try:
        document = read(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise JobError(f"{name}: {_one_line(error)}") from None
    if document is None or document == {}:
        raise JobError(
            f"{name} is empty; a job needs zones, source, bands and output: "
            "`zonalbatch demo` writes one to start from"
        )
    if not isinstance(document, dict):
        raise JobError(f"{name} holds {shown(document)} instead of keys with values")
    return document


def write_document(document: dict[str, Any]) -> str:
    """The YAML text of plain values, which `read_document` gives back."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _one_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the document is nested too deep"
    mark = getattr(error, "problem_mark", None)
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    reason = " ".join((getattr(error, "problem", None) or str(error)).split())
    return f"{reason}{place}"


def _load_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_without_repeats)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    for problem in repeated("a group", tuple(key for key, _ in pairs)):
        raise ValueError(problem)
    return keys


def _load_yaml(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise ValueError(f"the document is larger than {MAX_BYTES} bytes")
    return yaml.load(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """Plain values as YAML 1.2 has them; no aliases, no key twice."""

    # YAML 1.1 takes on, no, 1:30 and 2024-01-01 for a bool, a number and a date; here they are
    # text, because bands and columns have such names.
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]

    def fetch_more_tokens(self) -> None:
        """Read on, unless what is read is nested deeper than any job; depth costs its square."""
        if self.flow_level + len(self.indents) > MAX_DEPTH:
            raise yaml.MarkedYAMLError(
                problem="the document is nested too deep", problem_mark=self.get_mark()
            )
        super().fetch_more_tokens()

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node; an alias is refused, because a few nested ones can fill the memory."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.MarkedYAMLError(
                problem="an alias (*name) is not allowed; write the value again",
                problem_mark=event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """The value of a node, which may not be what its tag (such as !!timestamp) says."""
        try:
            return super().construct_object(node, deep)
        except (ArithmeticError, AttributeError, LookupError, TypeError):
            kind = str(node.tag).rpartition(":")[2]
            raise yaml.MarkedYAMLError(
                problem=f"{str(node.value)[:60]!r} is no {kind}; leave the tag out",
                problem_mark=node.start_mark,
            ) from None

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping whose keys are all different."""
        seen: set[Any] = set()
        for key_node, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            key = (key_node.tag, str(key_node.value))
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key_node.value!r} stands twice; keep one",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` and readers of YAML 1.1 both read alike."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write an alias: the loader refuses them."""
        return True


# A leading zero makes an octal number in YAML 1.1; here 007 is text, like other ids.
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|"
        r"\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
):
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
        )
