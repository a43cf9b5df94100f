"""Service: one STAC API, what it says it can do, and the pages that it finds."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pystac_client import Client
from pystac_client.item_search import ItemSearch

from zonalbatch.errors import SourceError
from zonalbatch.searches.addresses import address_of
from zonalbatch.searches.connection import Connection, asking
from zonalbatch.searches.question import Question
from zonalbatch.sources import shown

__all__ = ["Service"]

EXTENSIONS = {"query": "query", "filter": "filter", "sortby": "sort"}
"""What an API must say that it can, or it would be ignored without a word."""


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """An API whose landing page was read."""

    address: str
    client: Client
    connection: Connection

    @classmethod
    def open(cls, api: str) -> Service:
        """Read the landing page of an API.

        Raises:
            SourceError: there is no API, or it cannot search.
            ReadError: it cannot be reached.
        """
        address = address_of(api)
        connection = Connection(address)
        with asking(address), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it conforms to, which is looked at here
            client = Client.open(address, stac_io=connection, timeout=connection.timeout)
            found = cls(address, client, connection)
            if not client.get_links("search"):
                raise SourceError(
                    f"{shown(address)} is a catalog without a search; give it as items"
                )
        return found

    def check(self, question: Question) -> None:
        """Refuse what the API does not say it can.

        Raises:
            SourceError: it says what it can, and query, filter or sortby is not of it.
        """
        stated = self.client.get_conforms_to()
        for key, extension in EXTENSIONS.items():
            able = any(re.search(rf"#{extension}\b", uri) for uri in stated)
            if stated and not able and getattr(question, key) is not None:
                raise SourceError(
                    f"{shown(self.address)} does not say that it knows {key}, and may ignore it; "
                    "leave it out, and choose from the items that are found"
                )

    def pages(self, question: Question, place: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """The items of each page of a search at one place.

        Raises:
            ReadError: the API cannot be reached, or a page is broken.
            SourceError: it refuses the search.
        """
        url, method = self._search
        with asking(self.address):
            asked = ItemSearch(
                url, method=method, stac_io=self.connection, **question.parameters(), **place
            )
            for page in asked.pages_as_dicts():
                yield page["features"]

    @property
    def _search(self) -> tuple[str, str]:
        """Address and method of a search: POST where it is offered."""
        links = self.client.get_links("search")
        methods = {str(link.extra_fields.get("method") or "GET").upper(): link for link in links}
        method = "POST" if "POST" in methods else "GET"
        link = methods.get(method, links[0])
        return str(link.get_absolute_href() or link.href), method

    def refuse_unknown(self, collection: str) -> None:
        """Raise if the API has no such collection.

        Raises:
            SourceError: it has none.
        """
        with asking(self.address), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            known = [one.id for one in self.client.get_collections()]
        if not known or collection in known:
            return
        near = difflib.get_close_matches(collection, known, n=1)
        names = ", ".join(sorted(known)[:10]) + (", …" if len(known) > 10 else "")
        hint = f"did you mean {near[0]!r}?" if near else f"it has {names}"
        raise SourceError(f"{shown(self.address)} has no collection {collection!r}; {hint}")
