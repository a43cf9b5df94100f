"""Runs of small parts on workers that can be struck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.made.mortal import Fates, mortal_cluster


@dataclass
class Told:
    """An observer that keeps what it is told."""

    texts: list[str] = field(default_factory=list)
    parts: int = 0

    def began(self, *_: object) -> None:
        """Not kept."""

    def finished(self, *_: object) -> None:
        """Not kept."""

    def told(self, text: str, parts: int) -> None:
        """Keep it."""
        self.texts.append(text)
        self.parts = parts


@pytest.fixture
def told() -> Told:
    """Who listens to a run."""
    return Told()


@pytest.fixture(scope="session")
def mortals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fates]:
    """Workers that can be struck."""
    with mortal_cluster(tmp_path_factory.mktemp("mortal")) as fates:
        yield fates


@pytest.fixture
def fates(mortals: Fates) -> Iterator[Fates]:
    """Workers that can be struck, whom nothing happens yet."""
    mortals.spare()
    yield mortals
    mortals.spare()
