"""Search: the keys by which a job searches for STAC items."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from zonalbatch.errors import InputError
from zonalbatch.job.group import Keys
from zonalbatch.job.values import Count, Finite, Text, names_listed, year_text
from zonalbatch.searches.addresses import address_of
from zonalbatch.searches.question import Question

__all__ = ["SearchKeys"]

_Names = Annotated[
    tuple[Text, ...],
    Field(min_length=1),
    BeforeValidator(names_listed, json_schema_input_type=tuple[Text, ...] | Text),
]
_Time = Annotated[Text, BeforeValidator(year_text, json_schema_input_type=Text | int)]
_PLACES = ("api", "bbox", "intersects")
"""Keys of a search that are no part of its question."""


class SearchKeys(Keys):
    """What to search for in a STAC API: where the zones lie, unless bbox or intersects is given."""

    api: Text | None = None
    """URL of a STAC API, or planetary-computer, earth-search or copernicus."""
    collections: _Names | None = None
    """Collections to search in."""
    datetime: _Time | None = None
    """A date, a month or a year, or a range such as 2024-06/2024-08 or 2024-06/.."""
    query: dict[Text, Any] | _Names | None = None
    """Comparisons of properties: {"eo:cloud_cover": {lt: 20}}, or "eo:cloud_cover<20"."""
    filter: dict[Text, Any] | Text | None = None
    """CQL2, as keys or as text."""
    ids: _Names | None = None
    """Ids of items."""
    bbox: tuple[Finite, Finite, Finite, Finite] | None = None
    """west, south, east and north in degrees, in place of the zones."""
    intersects: dict[Text, Any] | None = None
    """A GeoJSON geometry, in place of the zones."""
    fields: dict[Text, tuple[Text, ...]] | _Names | None = None
    """What the items hold; what a run needs is asked for anyway."""
    sortby: _Names | None = None
    """Order, such as -properties.datetime."""
    limit: Count | None = None
    """Items of a page; null takes 100."""
    max_items: Count | None = None
    """Items in all; null takes all."""

    @model_validator(mode="after")
    def _is_a_search(self) -> SearchKeys:
        given = [key for key in SearchKeys.model_fields if getattr(self, key) is not None]
        if given and self.api is None:
            raise ValueError(f"{given[0]} is asked of an API; give api")
        if self.bbox is not None and self.intersects is not None:
            raise ValueError("bbox and intersects both say where to search; give one of them")
        if self.api is not None and "@" in self.api.partition("://")[2].partition("/")[0]:
            raise ValueError(
                "api holds a password, which would be kept with the result; leave it out"
            )
        if self.api is not None and "?" in self.api:
            raise ValueError(
                "api holds a query, which would be kept with the result; give the address of the "
                "landing page alone"
            )
        if given:
            try:
                self.question()
                address_of(self.api or "")
            except InputError as error:
                raise ValueError(str(error)) from None
        return self

    def question(self) -> Question:
        """What is asked beside the place.

        Raises:
            InputError: a value makes no sense.
        """
        keys = [key for key in SearchKeys.model_fields if key not in _PLACES]
        return Question.of(**{key: getattr(self, key) for key in keys})
