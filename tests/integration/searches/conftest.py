"""A real API with 360 items, which can search by place and time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.made.apis import light_api, many_scenes


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the light server."""
    with light_api(tmp_path_factory.mktemp("light"), many_scenes()) as url:
        yield url
