"""Questions that wait together, before real processes."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.made.service import AREA, RASTER, Served
from zonalbatch.service.gathering import TOGETHER, Gathering
from zonalbatch.service.refusals import Refusal
from zonalbatch.service.said import Said
from zonalbatch.service.settings import Settings
from zonalbatch.service.workers import Workers


def company(_: Any, common: str, abouts: Sequence[Any]) -> list[Said | None]:
    """How many went together; some end the process, some are left to a call of their own."""
    if "end" in abouts:
        os._exit(1)
    left = len(abouts) > 1
    return [
        None if about == "alone" and left else Said((common, about, len(abouts)))
        for about in abouts
    ]


async def told(abouts: Sequence[tuple[str, Any]], **settings: Any) -> list[Any]:
    """What is said of each thing, or what was raised, all asked for at once."""
    async with Workers(Settings(workers=1, seconds=120, **settings)) as workers:
        gathering = Gathering(workers, turns=1)
        asked = (gathering.asked(company, common, about=about) for common, about in abouts)
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert workers.waiting == 0
    return found


@pytest.mark.long
def test_those_that_wait_go_together() -> None:
    """All that came before a process was free, up to a number, and those alone that are alike."""
    alike = [("a", i) for i in range(TOGETHER + 5)]
    found = asyncio.run(told([*alike, ("b", 0)]))
    assert [one[:2] for one in found] == [*alike, ("b", 0)]
    sizes = Counter(size for common, _, size in found if common == "a")
    assert sizes == {TOGETHER: TOGETHER, 5: 5}
    assert found[-1][2] == 1


def test_one_that_ends_the_process() -> None:
    """It takes nobody along: the others are asked again, one by one."""
    first, ended, last = asyncio.run(told([("a", 1), ("a", "end"), ("a", 2)]))
    assert (first, last) == (("a", 1, 1), ("a", 2, 1))
    assert isinstance(ended, Refusal)
    assert ended.status == 500


def test_one_that_is_left_alone() -> None:
    """It has a call of its own, after the others."""
    assert asyncio.run(told([("a", 1), ("a", "alone")])) == [("a", 1, 2), ("a", "alone", 1)]


def test_too_many() -> None:
    """Each question counts, however many go together."""
    found = asyncio.run(told([("a", i) for i in range(12)], at_once=10))
    refused = [one.status for one in found if isinstance(one, Refusal)]
    assert refused == [503, 503]


def test_through_the_service(service: Served) -> None:
    """Questions at once over HTTP: each is answered for its own area."""

    async def asked() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=service.url, timeout=60, trust_env=False) as client:
            questions = (
                client.post(RASTER, json={"aoi": aoi, "url": "file:///fact.tif"}) for aoi in aois
            )
            return await asyncio.gather(*questions)

    lons = [-0.159 + 0.0009 * i for i in range(64)]
    aois: list[Any] = [{"type": "Point", "coordinates": [lon, 51.5195]} for lon in lons]
    aois[::7] = [AREA] * len(aois[::7])
    aois[3] = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [0, 2], [0, 0]]]}
    answers = asyncio.run(asked())
    for i, (aoi, answer) in enumerate(zip(aois, answers, strict=True)):
        alone = service.ask(RASTER, {"aoi": aoi, "url": "file:///fact.tif"})
        assert (answer.status_code, answer.json()) == (alone.status_code, alone.json())
        assert answer.status_code == (400 if i == 3 else 200)
