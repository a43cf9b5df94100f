"""Results to draw: a year of four fields."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import pytest

from tests.made.year import Year, year
from zonalbatch.results import Results


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Figures that no screen shows, all closed at the end."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


@pytest.fixture(scope="package")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Year:
    """The scenes of a year."""
    return year(tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="package")
def rows(scenes: Year) -> Results:
    """The result of the usual job over them."""
    return scenes.run()
