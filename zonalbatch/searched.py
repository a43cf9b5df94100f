"""Searched: the items of a job, given or found by its search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from zonalbatch.errors import SourceError
from zonalbatch.job import StacSource

if TYPE_CHECKING:
    from zonalbatch.searches.answer import Answer
    from zonalbatch.zones import ZoneReader

__all__ = ["items_of", "search_of"]


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


def items_of(source: StacSource, zones: Callable[[], ZoneReader]) -> tuple[Any, tuple[str, ...]]:
    """The items of a source, given or searched for, and what is to be said of the search.

    Args:
        source: of a job.
        zones: opens the job's zones, if they are needed.

    Raises:
        SourceError: nothing is found, or the API does not know what is asked.
        ReadError: the API cannot be reached, or sends what is broken.
    """
    if source.api is None:
        return source.items, ()
    answer = search_of(source, zones)
    if not answer.items:
        raise SourceError(
            f"{answer.note}; ask for a longer time or other collections, and see that the zones "
            "lie where you think"
        )
    return answer.items, (answer.note,)
