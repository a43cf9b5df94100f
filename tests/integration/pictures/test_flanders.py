"""Pictures of a real year: fields in Flanders under 118 Sentinel-2 scenes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import yaml

import zonalbatch as zb
from tests.made.artefacts import keep_picture
from tests.made.series import series
from zonalbatch.results import Results

pytestmark = pytest.mark.long

CONFIG = Path(__file__).resolve().parents[3] / "configs" / "flanders_ndvi.yaml"
RGB = ["red", *({"asset": "B02B03B04B08", "description": name} for name in ("B03", "B02"))]
WINTER_CROPS = (1, 5, 19, 21)
"""Fields that are green in winter and spring, and harvested in July."""


@pytest.fixture(scope="session")
def flanders(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The result of the job as it stands."""
    text = CONFIG.read_text().replace("../../shared/data", str(data_dir))
    out = tmp_path_factory.mktemp("flanders")
    document = yaml.safe_load(text)
    document["output"] |= {"path": str(out / "out")}
    with series(out):
        zb.run(zb.Job(**document))
    return zb.open_results(out / "out")


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Figures that no screen shows, all closed at the end."""
    mpl.use("agg")
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def drawn(axes: Any, name: str) -> pd.Series:
    """The line of an axes that stands for something, by date."""
    (line,) = [line for line in axes.lines if line.get_gid() == name]
    return pd.Series(line.get_ydata(), pd.DatetimeIndex(line.get_xdata()))


@pytest.mark.parametrize("zone", WINTER_CROPS)
def test_winter_crop(flanders: Results, zone: int) -> None:
    """What is drawn greens up after sowing, is green in spring, and bare after the harvest."""
    axes: Any = flanders.plot.series(zone, "ndvi_mean", smooth="whittaker", season=True)
    values, smooth = drawn(axes, "values"), drawn(axes, "smooth")
    autumn, spring = values["2017-10"].median(), values["2017-12-15":"2018-05-10"].median()  # type: ignore[misc]
    harvested = values["2018-07-20":"2018-08-15"].median()  # type: ignore[misc]
    assert spring - autumn > 0.15, "green-up"
    assert spring - harvested > 0.25, "harvest"
    assert smooth["2018-02-15"] > 0.65
    assert smooth["2018-08-05"] < 0.55
    keep_picture(f"flanders-{zone}", axes)


@pytest.mark.parametrize("zone", WINTER_CROPS)
def test_cloudy_dates_are_marked(flanders: Results, zone: int) -> None:
    """Each date without a clear pixel has its mark, and no other; the legend counts them."""
    axes: Any = flanders.plot.series(zone, "ndvi_mean")
    rows = flanders.gdf[flanders.gdf["zone_id"] == zone]
    cloudy = rows.loc[rows["ndvi_count"] == 0, "datetime"].dt.tz_localize(None)
    assert len(cloudy) > 40
    assert list(drawn(axes, "unseen").index) == list(cloudy)
    (line,) = [line for line in axes.lines if line.get_gid() == "unseen"]
    assert (line.get_marker(), line.get_visible()) == ("|", True)
    words = [text.get_text() for text in axes.get_legend().get_texts()]  # type: ignore[union-attr]
    assert f"no clear pixel ({len(cloudy)})" in words
    partly = rows[(rows["ndvi_count"] > 0) & (rows["ndvi_count"] < 0.8 * rows["ndvi_n_total"])]
    assert len(drawn(axes, "partly")) == len(partly)


def test_all_fields(flanders: Results) -> None:
    """21 panels, a heat map of 21 rows, maps and a histogram of what the rows hold."""
    panels = flanders.plot.multiples("ndvi_mean")
    assert len(panels.axes) == 21
    keep_picture("flanders-multiples", panels)
    frame = flanders.pivot("ndvi_mean")
    axes: Any = flanders.plot.heat("ndvi_mean")
    (image,) = [one for one in axes.images if one.get_gid() == "values"]
    shown: Any = np.ma.asarray(image.get_array())
    np.testing.assert_allclose(np.sort(shown.compressed()), np.sort(frame.stack().to_numpy()))
    keep_picture("flanders-heat", axes)
    axes = flanders.plot.choropleth("ndvi_mean", "2018-02-25")
    assert axes.get_title(loc="left") == "2018-02-25"
    keep_picture("flanders-choropleth", axes)
    keep_picture("flanders-choropleths", flanders.plot.choropleths("ndvi_mean"))
    keep_picture("flanders-histogram", flanders.plot.histogram("ndvi_mean", "2018-05"))


def test_pixels(flanders: Results, data_dir: Path) -> None:
    """The sheet shows 118 scenes; vegetation is green on clear ones, clouds are white."""
    keep_picture("flanders-field", flanders.plot.field(5, "2018-05-06", "ndvi"))
    axes: Any = flanders.plot.sheet(bands=RGB)
    assert len(axes.images) == 118
    keep_picture("flanders-sheet", axes)
    by_date = {
        text.get_text()[:10]: np.asarray(one.get_array())
        for text, one in zip(axes.texts, axes.images, strict=True)
    }
    clear, cloudy = by_date["2018-05-06"], by_date["2018-05-01"]
    red, green, _, there = np.moveaxis(clear, -1, 0)
    assert (green[there > 0] > red[there > 0]).mean() > 0.3
    assert cloudy[cloudy[..., 3] > 0].mean() > 0.95
    fields = geopandas.read_parquet(
        data_dir / "timeseries/worldcereal_flanders/00002806639B424A/fields_polygonized.parquet"
    )
    few = flanders.plot.sheet("2018-05", bands=RGB, area=fields.iloc[:3])
    assert len(few.images) == 11
    keep_picture("flanders-may", few)
