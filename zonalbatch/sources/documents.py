"""STAC documents: item collections, items, tables of them, static catalogs, and Python's objects.

Items are read as plain dicts: that is fast for many of them, and pystac would rewrite their
projection fields.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from zonalbatch.errors import SourceError
from zonalbatch.sources.access import Grant
from zonalbatch.sources.causes import read_error, shown
from zonalbatch.sources.item_shape import check_shape
from zonalbatch.sources.item_table import read_item_table
from zonalbatch.sources.links import ORIGIN
from zonalbatch.sources.protocol import is_remote
from zonalbatch.sources.view import refuse_view
from zonalbatch.sources.whole import read_whole

__all__ = ["Doc", "item_at", "of_the_web", "read_items", "unique_items"]

Doc = dict[str, Any]
"""A STAC object as JSON has it."""


def read_items(items: str | Path | Sequence[Any]) -> list[Doc]:
    """All items as dicts, with absolute asset hrefs.

    Args:
        items: path or URL of an ItemCollection, stac-geoparquet, item, catalog or collection, or
            a sequence of such paths, dicts and pystac items.

    Raises:
        SourceError: there is no item, or something that is no STAC document.
        ReadError: a document cannot be read.
    """
    entries = [items] if isinstance(items, str | os.PathLike | Mapping) else items
    docs = [doc for entry in entries for doc in _from_entry(entry)]
    if not docs:
        name = "the list of items"
        if isinstance(items, str | os.PathLike):
            name = shown(os.fspath(items))
        raise SourceError(f"{name} holds no STAC item; check the search or the path")
    return docs


def _from_entry(item: Any) -> list[Doc]:
    if isinstance(item, str | os.PathLike):
        return _from_file(os.fspath(item), set())
    if hasattr(item, "to_dict"):
        return [_absolute(item.to_dict(transform_hrefs=False), item.get_self_href())]
    if isinstance(item, Mapping):
        return _from_document(dict(item), None, set())
    raise SourceError(f"{type(item).__name__} is no STAC item; give paths, dicts or pystac items")


def _from_file(href: str, visited: set[str]) -> list[Doc]:
    refuse_view(href)
    href = href if is_remote(href) else os.path.abspath(os.path.expanduser(href))
    if href in visited:
        return []
    visited.add(href)
    if href.partition("?")[0].lower().endswith(".parquet"):
        return [_absolute(doc, _origin(doc, href)) for doc in read_item_table(href)]
    return _from_document(_read_json(href), href, visited)


def _read_json(href: str) -> Doc:
    try:
        document = json.loads(read_whole(Grant(href)))
    except FileNotFoundError as error:
        raise SourceError(f"{shown(href)} does not exist; correct the path") from error
    except ValueError as error:
        raise SourceError(f"{shown(href)} is no JSON ({error}); give a STAC document") from error
    except OSError as error:
        raise read_error(href, error) from error
    if not isinstance(document, dict):
        raise SourceError(f"{shown(href)} is no JSON object; give a STAC item or collection")
    return document


def _from_document(document: Doc, href: str | None, visited: set[str]) -> list[Doc]:
    if document.get("type") == "FeatureCollection":
        features = document.get("features") or []
        if not isinstance(features, list):
            raise SourceError(
                f"{shown(href or 'a dict')} has features that are no list; give STAC items"
            )
        return [_absolute(doc, _origin(doc, href)) for doc in features]
    if "assets" in document and "properties" in document:
        return [_absolute(document, href or _own_href(document))]
    if "links" in document:
        return list(_linked(document, href or _own_href(document), visited))
    raise SourceError(
        f"{shown(href or 'a dict')} is no STAC item, item collection or catalog "
        f"(type {document.get('type')!r}); give one of these"
    )


def _linked(catalog: Doc, href: str | None, visited: set[str]) -> Iterator[Doc]:
    """The items below a static catalog; siblings are fetched several at a time."""
    links = [link for link in _links(catalog) if link.get("rel") in ("item", "child")]
    hrefs = [_resolved(link["href"], href, catalog) for link in links]
    for below in hrefs:
        if href is not None and is_remote(href) and not is_remote(below):
            raise SourceError(
                f"{shown(href)} comes from the web and links to the file {shown(below)!r} on this "
                "machine; give that file itself if you mean it"
            )
    if not hrefs:
        return
    with ThreadPoolExecutor(min(16, len(hrefs))) as pool:
        for docs in pool.map(lambda below: _from_file(below, visited), hrefs):
            yield from docs


def item_at(document: Doc, href: str) -> Doc:
    """An item that was read at an address, with absolute links of its assets.

    Raises:
        SourceError: it is no item.
    """
    return _absolute(document, href)


def of_the_web(doc: Doc, address: str) -> Doc:
    """An item as it came from an API: with a self link into the web, whatever it says of itself."""
    if is_remote(_own_href(doc) or ""):
        return doc
    others = [link for link in doc.get("links") or () if link.get("rel") != "self"]
    own = f"{address.rstrip('/')}/collections/{doc.get('collection')}/items/{doc.get('id')}"
    return {**doc, "links": [*others, {"rel": "self", "href": own}]}


def _origin(doc: Doc, href: str | None) -> str | None:
    """Where an item of a collection comes from: what lies in the web is not of this machine."""
    own = _own_href(doc)
    if href is not None and is_remote(href) and not is_remote(own or ""):
        return href
    return own or href


def _own_href(doc: Doc) -> str | None:
    """The item's absolute self link."""
    own = (str(link["href"]) for link in _links(doc) if link.get("rel") == "self")
    return next(filter(_is_absolute, own), None)


def _links(doc: Any) -> Sequence[Mapping[str, Any]]:
    """The links of a document that lead somewhere.

    Raises:
        SourceError: they are no links.
    """
    links = (doc.get("links") or []) if isinstance(doc, dict) else []
    if not isinstance(links, list) or not all(isinstance(link, dict) for link in links):
        raise SourceError(
            f"the links of {doc.get('id')!r} are no list of keys; write them as "
            "[{rel: ..., href: ...}]"
        )
    return [link for link in links if isinstance(link.get("href"), str)]


def _is_absolute(href: str) -> bool:
    return is_remote(href) or href.startswith(("/", "file://"))


def _absolute(doc: Doc, base: str | None) -> Doc:
    """The item with its assets' hrefs made absolute, and where it comes from.

    Raises:
        SourceError: it is no item.
    """
    check_shape(doc)
    assets = {
        key: {**asset, "href": _resolved(str(asset.get("href", "")), base, doc)}
        for key, asset in (doc.get("assets") or {}).items()
    }
    return {**doc, "assets": assets, ORIGIN: base}


def _resolved(href: str, base: str | None, doc: Doc) -> str:
    refuse_view(href)
    if _is_absolute(href):
        return href.removeprefix("file://")
    if base is None:
        raise SourceError(
            f"item {doc.get('id')!r} has the relative link {shown(href)!r} and no self link to "
            "resolve it by; read it from its file, or make its links absolute"
        )
    import pystac.utils

    return str(pystac.utils.make_absolute_href(href, base.removeprefix("file://")))


def unique_items(docs: Sequence[Doc], notes: dict[str, None]) -> list[Doc]:
    """Items with unique ids: the last updated of equal (collection, id), each given a ``layer``.

    That is the id of its layer: its own, with ``@collection`` where two collections share it.
    """
    newest: dict[tuple[str, str], Doc] = {}
    for doc in docs:
        key = (str(doc.get("collection") or ""), str(doc.get("id")))
        if key not in newest or _updated(doc) > _updated(newest[key]):
            newest[key] = doc
    if len(newest) < len(docs):
        count = len(docs) - len(newest)
        notes[f"{count} items were given more than once; the last updated of each was kept"] = None
    counts = Counter(own for _, own in newest)
    return [
        {**doc, "layer": f"{own}@{collection}" if counts[own] > 1 else own}
        for (collection, own), doc in newest.items()
    ]


def _updated(doc: Doc) -> str:
    return str((doc.get("properties") or {}).get("updated") or "")
