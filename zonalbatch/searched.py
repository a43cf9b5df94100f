"""Searched: what the search of a job finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import SourceError
from zonalbatch.job import StacSource

if TYPE_CHECKING:
    from zonalbatch.searches.answer import Answer
    from zonalbatch.zones import ZoneReader

__all__ = ["search_of", "some_items"]


def search_of(source: Any, zones: Callable[[], ZoneReader]) -> Answer:
    """Do the search of a source, where its zones lie, or where it says.

    Args:
        source: of a job.
        zones: opens the job's zones, if they are needed.

    Raises:
        SourceError: the source has no search, or the API does not know what is asked.
        ReadError: the API cannot be reached, or sends what is broken.
    """
    if not isinstance(source, StacSource) or source.api is None:
        raise SourceError("the job searches for nothing; give its source an api and collections")
    from zonalbatch.searches.answer import area_of, find

    placed = source.bbox is not None or source.intersects is not None
    area = area_of(None if placed else zones(), source.bbox, source.intersects)
    return find(source.api, source.question(), area)


def some_items(answer: Answer) -> Sequence[Mapping[str, Any]]:
    """The items of an answer.

    Raises:
        SourceError: there is none.
    """
    if not answer.items:
        raise SourceError(
            f"{answer.note}; ask for a longer time or other collections, and see that the zones "
            "lie where you think"
        )
    return answer.items
