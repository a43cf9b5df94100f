"""Pictures of pixels: a field's cells, and sheets of scenes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from matplotlib.figure import Figure

from tests.made.artefacts import keep_picture
from tests.made.year import BROKEN, CLOUDY, DATES, HALF, Year, year
from zonalbatch.errors import InputError
from zonalbatch.explanation.inquiry import explain_job
from zonalbatch.explore.stored_job import stored_job
from zonalbatch.pictures import scenes as scenes_module
from zonalbatch.results import Results

RGB = ("red", "green", "blue")


def nothing(axes: Any) -> str:
    """What an empty picture says."""
    (text,) = [one for one in axes.texts if one.get_gid() == "nothing"]
    return str(text.get_text())


# --- field ------------------------------------------------------------------------------------


def test_field_shows_the_cells_of_explain(rows: Results) -> None:
    """Cells and their values are those that the job's own explanation has."""
    date, zone = HALF
    axes: Any = rows.plot.field(zone, "2024-05-04")
    job = stored_job(rows.output)
    wanted = explain_job(job, zone, layer=f"y_{date}")
    shown = np.ma.filled(np.ma.asarray(axes.images[0].get_array()).astype(float), np.nan)
    there = np.isfinite(wanted.value)
    np.testing.assert_array_equal(np.sort(shown[np.isfinite(shown)]), np.sort(wanted.value[there]))
    assert axes.get_title(loc="left").startswith(f"zone {zone} · y_{date}")
    keep_picture("field", axes)


def test_field_without_a_time(rows: Results) -> None:
    """The date of which most is seen; on given axes the legend is theirs."""
    axes: Any = rows.plot.field(1, ax=Figure().add_subplot())
    assert "count 655.36 of n_total 655.36" in axes.get_title(loc="left")
    assert axes.get_legend() is not None


def test_field_that_could_not_be_read(rows: Results) -> None:
    """Its cells are hatched as unread."""
    date, zone = BROKEN
    axes = rows.select(time="2024-09-19").plot.field(zone)
    assert f"y_{date}" in axes.get_title(loc="left")
    (legend,) = axes.figure.legends  # type: ignore[union-attr]
    assert any("unread" in text.get_text() for text in legend.get_texts())


def test_measurements_by_name(scenes: Year) -> None:
    """Which of several has to be said; a prefix is part of the name."""
    rows = scenes.run("two", measurements={"ndvi": "index", "twice": "2 * index"}, prefix="s2_")
    with pytest.raises(InputError, match="say which measurement; there are s2_ndvi, s2_twice"):
        rows.plot.field(1)
    with pytest.raises(InputError, match="did you mean 's2_twice'"):
        rows.plot.field(1, measurement="s2_twic")
    assert rows.plot.field(1, measurement="s2_twice").images


def test_without_its_job(tmp_path: Path, scenes: Year) -> None:
    """A result of zones in memory has no pixels to go back to, and says so."""
    zones = geopandas.read_parquet(scenes.folder / "zones.parquet")
    rows = scenes.run("memory", zones={"path": zones, "id": "id"})
    for draw in (lambda: rows.plot.field(1), rows.plot.sheet):
        with pytest.raises(InputError, match="holds no job"):
            draw()


# --- sheet ------------------------------------------------------------------------------------


def test_sheet_shows_every_scene(rows: Results) -> None:
    """A picture for each date, in order, with its date and the share that is clear."""
    axes: Any = rows.plot.sheet(bands=RGB)
    assert len(axes.images) == len(DATES)
    dates = [text.get_text()[:10].replace("-", "") for text in axes.texts]
    assert dates == list(DATES)
    shares = dict(zip(dates, (text.get_text()[13:] for text in axes.texts), strict=True))
    assert {shares[date] for date in CLOUDY} == {"0%"}
    assert shares[DATES[0]] == "100%"
    assert "24 scenes" in axes.get_title(loc="left")
    keep_picture("sheet", axes)


def test_sheet_has_the_colours_of_the_files(rows: Results, scenes: Year) -> None:
    """All are stretched alike: a colour follows from the raw values alone, and rises with them."""
    axes: Any = rows.plot.sheet()
    raw, shown = [], []
    for date, one in zip(DATES, axes.images, strict=True):
        with rasterio.open(scenes.folder / f"y_{date}_red.tif") as file:
            cells = file.read(1)[1:63, 1:63]
        colours = np.asarray(one.get_array())
        assert colours.shape == (62, 62, 4), "the file's own cells about the box of the zones"
        assert (colours[..., 3] == 1).all()
        raw.append(cells.ravel())
        shown.append(colours[..., 0].ravel())
    values, reds = np.concatenate(raw), np.concatenate(shown)
    order = np.argsort(values, kind="stable")
    assert (np.diff(reds[order]) >= -1e-6).all()
    assert reds.min() == 0
    assert reds.max() == 1


def test_scenes_are_small(rows: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of large scenes no more cells are kept than are seen, and they are in their places."""
    whole: Any = rows.plot.sheet("2024-05-04")
    monkeypatch.setattr(scenes_module, "PIXELS", 20)
    few: Any = rows.plot.sheet("2024-05-04")
    large, small = (np.asarray(axes.images[0].get_array()) for axes in (whole, few))
    assert (large.shape, small.shape) == ((62, 62, 4), (20, 20, 4))
    assert few.images[0].get_extent() == whole.images[0].get_extent()
    cloud = small[:5, 11:, :3].mean()
    land = small[6:, :, :3].mean()
    assert cloud > land + 0.3, "half of the field in the north-east is under a cloud"


def test_sheet_of_a_period_and_an_area(rows: Results) -> None:
    """Only its dates, only that box; a scene that shows nothing there is counted."""
    box = geopandas.read_parquet(Path(str(rows.output.path)).parent / "zones.parquet").iloc[:1]
    axes: Any = rows.plot.sheet("2024-03", area=box, cols=2)
    assert [text.get_text()[:10] for text in axes.texts] == ["2024-03-04", "2024-03-19"]
    height, width = np.asarray(axes.images[0].get_array()).shape[:2]
    assert (height, width) == (28, 28), "26 cells, and a little around them"
    west, south, east, north = box.to_crs(4326).total_bounds
    again = rows.plot.sheet("2024-03", area=(west, south, east, north))
    assert len(again.images) == 2
    assert nothing(rows.plot.sheet("2023-03")) == "no scene in 2023-03"


def test_what_no_sheet_can_be_made_of(rows: Results) -> None:
    """Wrong bands and areas are told, with what to give."""
    with pytest.raises(InputError, match=r"band 'green' \('B03'\) is in no layer; known are"):
        rows.plot.sheet(bands=("red", "B03", "blue"))
    with pytest.raises(InputError, match="not three"):
        rows.plot.sheet(bands="red")
    with pytest.raises(InputError, match="is no box"):
        rows.plot.sheet(area=(3, 50, 2, 51))


def test_sheet_counts_what_cannot_be_read(tmp_path: Path) -> None:
    """A broken scene is hatched, named, and counted; if all are, the picture says so."""
    made = year(tmp_path)
    rows = made.run()
    made.folder.joinpath(f"y_{DATES[3]}_green.tif").write_bytes(b"no raster")
    axes: Any = rows.plot.sheet()
    assert len(axes.images) == len(DATES) - 1
    assert "23 scenes · 1 could not be read" in axes.get_title(loc="left")
    assert sum(patch.get_gid() == "lost" for patch in axes.patches) == 1
    assert axes.texts[3].get_text().endswith("not read")
    for date in DATES[1:]:
        made.folder.joinpath(f"y_{date}_green.tif").write_bytes(b"no raster")
    said = nothing(rows.select(time="2024-02/2024-12").plot.sheet())
    assert said.startswith("22 of 22 scenes: could not be read")


def test_functions_are_not_imported(scenes: Year) -> None:
    """A stored job is read for its pixels; code that it names is left alone."""
    rows = scenes.run("plain")
    place = rows.output.path / "job.yaml"
    place.write_text(place.read_text().replace("- std", "- evil:function"))
    assert stored_job(rows.output).statistics == ("mean",)
