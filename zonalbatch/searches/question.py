"""Question: what a search asks for beside the place, checked before anything is sent."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zonalbatch.errors import InputError

__all__ = ["PAGE", "Question"]

PAGE = 100
"""Items of a page: what servers with large items still send."""
LARGEST = 10_000
"""Items of a page that STAC allows at most."""
NEEDED = (
    "type", "stac_version", "id", "collection", "geometry", "bbox", "links", "assets",
    "properties.datetime", "properties.start_datetime", "properties.end_datetime",
)  # fmt: skip
"""Fields that a source cannot do without."""
_COMPARISON = re.compile(r"\s*(.+?)\s*(<=|>=|<>|!=|=|<|>)\s*(.*?)\s*")
_OPERATORS = {
    "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "=": "eq", "<>": "neq", "!=": "neq",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked: each field as pystac-client takes it, None where it is not asked."""

    collections: tuple[str, ...] | None = None
    datetime: str | None = None
    """An instant, or ``start/end`` where ``..`` stands for an open end, RFC 3339."""
    query: Mapping[str, Any] | None = None
    filter: Mapping[str, Any] | str | None = None
    """CQL2, as JSON or as text."""
    ids: tuple[str, ...] | None = None
    fields: Mapping[str, Any] | None = None
    sortby: tuple[Mapping[str, str], ...] | None = None
    limit: int = PAGE
    """Items of a page."""
    max_items: int | None = None
    """Items in all; None takes all there are."""

    @classmethod
    def of(cls, **given: Any) -> Question:
        """The question that a job's keys or a call's arguments ask; None is as good as absent.

        Raises:
            InputError: one of them makes no sense.
        """
        said = {key: value for key, value in given.items() if value is not None}
        checked = {key: _RULES[key](value) for key, value in said.items()}
        return cls(**checked)

    @property
    def span(self) -> tuple[dt.datetime | None, dt.datetime | None]:
        """From when to when, UTC; None is an open end."""
        if self.datetime is None:
            return None, None
        start, _, end = self.datetime.partition("/")
        return _instant(start), _instant(end or start)

    def parameters(self) -> dict[str, Any]:
        """What `pystac_client.ItemSearch` takes of it beside place and method."""
        asked = {
            "collections": self.collections and list(self.collections),
            "datetime": self.datetime,
            "query": self.query and dict(self.query),
            "filter": self.filter,
            "ids": self.ids and list(self.ids),
            "fields": self.fields and dict(self.fields),
            "sortby": self.sortby and [dict(one) for one in self.sortby],
            "limit": self.limit if self.max_items is None else min(self.limit, self.max_items),
        }
        return {key: value for key, value in asked.items() if value is not None}


def _names(value: Any) -> tuple[str, ...]:
    """One name, several separated by commas, or a list."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple | set) or not all(isinstance(t, str) for t in texts):
        raise InputError(f"{value!r}: give a name, or a list of names")
    names = tuple(name.strip() for text in texts for name in text.split(","))
    if not all(names):
        raise InputError(f"{value!r} holds an empty name; give names, separated by single commas")
    return names


def _datetime(value: Any) -> str:
    """A date or a range of two, as text or Python's dates, in full."""
    from pystac_client.item_search import ItemSearch

    value = str(value) if isinstance(value, int) else value
    try:
        found = ItemSearch("", datetime=value).get_parameters()["datetime"]
        start, _, end = found.partition("/")
        first, last = _instant(start), _instant(end or start)
    except Exception as error:  # pystac-client raises bare ones
        raise InputError(
            f"datetime {value!r} is not understood ({error}); write 2024-06-01, 2024-06, "
            "2024-06/2024-08 or 2024-06/.."
        ) from None
    if first is last is None:
        raise InputError(f"datetime {value!r} says nothing; leave it out")
    if first is not None and last is not None and first > last:
        raise InputError(f"datetime {value!r} ends before it begins; turn it round")
    return str(found)


def _instant(text: str) -> dt.datetime | None:
    if text in ("", ".."):
        return None
    when = dt.datetime.fromisoformat(text)
    return when.replace(tzinfo=dt.UTC) if when.tzinfo is None else when.astimezone(dt.UTC)


def _query(value: Any) -> Mapping[str, Any]:
    """``{"eo:cloud_cover": {"lt": 20}}``, or comparisons such as ``eo:cloud_cover<20``."""
    if isinstance(value, Mapping):
        several = [_operations(value)]
    else:
        texts = [value] if isinstance(value, str) else value
        several = [_comparison(text) for text in texts] if isinstance(texts, Iterable) else []
    asked: dict[str, dict[str, Any]] = {}
    for one in several:
        for name, operations in one.items():
            held = asked.setdefault(name, {})
            if twice := [operator for operator in operations if operator in held]:
                raise InputError(
                    f"query {value!r} asks for {twice[0]} of {name} twice, of which an API hears "
                    "one; say it by filter"
                )
            held.update(operations)
    if not asked:
        raise InputError(f"query {value!r} asks for nothing; leave it out, or fill it")
    return asked


def _operations(query: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Operators by property, where a plain value stands for one that is equal to it."""
    return {name: one if isinstance(one, Mapping) else {"eq": one} for name, one in query.items()}


def _comparison(text: Any) -> dict[str, Mapping[str, Any]]:
    """What one text asks: a comparison, or a JSON object of operators by property."""
    if isinstance(text, str) and text.lstrip().startswith("{"):
        try:
            return _operations(json.loads(text))
        except ValueError:
            pass  # told below
    match = _COMPARISON.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InputError(f"query {text!r} is no comparison; write it as eo:cloud_cover<20")
    name, operator, value = match.groups()
    return {name: {_OPERATORS[operator]: _value(value)}}


def _value(text: str) -> Any:
    """A number, true, false or null as JSON has them; anything else is text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _filter(value: Any) -> Mapping[str, Any] | str:
    """CQL2 that parses."""
    import cql2

    try:
        cql2.Expr(json.dumps(value) if isinstance(value, Mapping) else str(value).strip())
        if not isinstance(value, Mapping | str):
            raise TypeError("it is neither text nor keys")
    except Exception as error:  # cql2 raises bare ones
        cause = " ".join(str(error).split())
        raise InputError(
            f"filter {value!r} is no CQL2 ({cause}); write text such as "
            "\"eo:cloud_cover < 20 and platform = 'sentinel-2a'\", or its JSON"
        ) from None
    return value  # type: ignore[no-any-return]


def _fields(value: Any) -> Mapping[str, Any]:
    """What to include and to leave out; what a source needs is asked for anyway."""
    if isinstance(value, Mapping):
        if unknown := sorted(map(str, value.keys() - {"include", "exclude"})):
            raise InputError(f"fields has no key {unknown[0]!r}; known are include and exclude")
        include, exclude = (_names(value.get(key) or ()) for key in ("include", "exclude"))
    else:
        names = _names(value)
        include = tuple(name.removeprefix("+") for name in names if not name.startswith("-"))
        exclude = tuple(name[1:] for name in names if name.startswith("-"))
    needed = NEEDED if include else ()
    return {
        "include": list(dict.fromkeys([*needed, *include])),
        "exclude": [name for name in exclude if name not in NEEDED],
    }


def _sortby(value: Any) -> tuple[Mapping[str, str], ...]:
    """``-properties.datetime`` and the like, or pairs of field and direction."""
    given = value if isinstance(value, list | tuple) else [value]
    return tuple(rule for one in given for rule in _rules(one))


def _rules(given: Any) -> Iterable[Mapping[str, str]]:
    """What one entry of an order says: fields with their signs, or keys."""
    if not isinstance(given, Mapping):
        return map(_direction, _names(given))
    field, direction = given.get("field"), given.get("direction", "asc")
    if not isinstance(field, str) or not field or direction not in ("asc", "desc"):
        raise InputError(
            f"sortby {dict(given)!r} is no order; write -{field or 'properties.datetime'}, or "
            "keys: field, and direction asc or desc"
        )
    return [{"field": field, "direction": direction}]


def _direction(name: str) -> Mapping[str, str]:
    down = name.startswith("-")
    return {"field": name.lstrip("+-"), "direction": "desc" if down else "asc"}


def _count(largest: int | None) -> Any:
    def count(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{value!r} items: give a whole number from 1")
        if largest is not None and value > largest:
            raise InputError(f"limit {value} is the size of a page; give at most {largest}")
        return value

    return count


_RULES: Mapping[str, Any] = {
    "collections": _names,
    "datetime": _datetime,
    "query": _query,
    "filter": _filter,
    "ids": _names,
    "fields": _fields,
    "sortby": _sortby,
    "limit": _count(LARGEST),
    "max_items": _count(None),
}
