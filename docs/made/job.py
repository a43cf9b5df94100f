"""Job: the keys of job documents, told from their JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from zonalbatch.job import Job

__all__ = ["page"]

Schema = Mapping[str, Any]


def page() -> str:
    """A table of the document's own keys, then one for each group of keys."""
    schema = Job.schema_json()
    tables = ["## The document", *_table(schema)]
    for name, group in _in_order(schema).items():
        tables += ["", f"## {name}", "", group.get("description", ""), "", *_table(group)]
    return "\n".join(tables)


def _in_order(schema: Schema) -> dict[str, Schema]:
    """The groups of keys in the order in which the document speaks of them."""
    found = re.findall(r"#/\$defs/(\w+)", json.dumps(schema["properties"]))
    return {name: schema["$defs"][name] for name in dict.fromkeys([*found, *schema["$defs"]])}


def _table(group: Schema) -> Iterator[str]:
    yield from ("", "| key | is | default | |", "|---|---|---|---|")
    required = group.get("required", ())
    for name, key in group.get("properties", {}).items():
        # Of a group of keys the meaning stands with the group.
        about = key.get("description", "")
        yield f"| `{name}` | {_kind(key)} | {_default(name, key, required)} | {_cell(about)} |"


def _default(name: str, key: Schema, required: Any) -> str:
    if name in required:
        return "required"
    value = key.get("default")
    if value is None or isinstance(value, dict):
        return ""
    return f"`{_cell(value if isinstance(value, str) else json.dumps(value))}`"


def _kind(key: Schema) -> str:
    """What a value may be, in words."""
    if "$ref" in key:
        name = key["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in key:
        return f"`{_cell(key['const'])}`"
    if "enum" in key:
        return ", ".join(f"`{_cell(one)}`" for one in key["enum"])
    several = key.get("anyOf") or key.get("oneOf")
    if several:
        kinds = [_kind(one) for one in several if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    return _plain(key)


def _plain(key: Schema) -> str:
    if key.get("type") == "array":
        return f"list of {_kind(key['items'])}" if "items" in key else "list"
    if key.get("type") == "object" and isinstance(key.get("additionalProperties"), dict):
        return f"name → {_kind(key['additionalProperties'])}"
    if key.get("type") == "object" and "properties" in key:
        return "{" + ", ".join(f"`{name}`" for name in key["properties"]) + "}"
    words = {"string": "text", "object": "keys", "boolean": "true or false"}
    return words.get(str(key.get("type")), str(key.get("type", "anything")))


def _cell(value: object) -> str:
    """A text that may stand in a table; braces of patterns are no attributes."""
    return re.sub(r"\s+", " ", str(value)).replace("|", "\\|").strip()
