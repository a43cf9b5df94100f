"""Data sets by name: ours, a user's, other packages'."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.made.datasets import data_set
from zonalbatch.catalog import named as module
from zonalbatch.catalog.named import FOLDERS, known, named
from zonalbatch.errors import SourceError
from zonalbatch.job import Job

PROMISED = [
    "copernicus_dem:elevation", "cop_dem_90:elevation", "usgs_3dep:elevation", "nasadem:elevation",
    "alos_dem:elevation", "esa_worldcover:map", "sentinel2_l2a:red", "landsat_c2_l2:red",
    "tandem_x:elevation",
]  # fmt: skip
PLACE = {"kind": "stac", "api": "https://example.org", "collections": ["dem"]}


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_promised(name: str) -> None:
    """Each has its terms, its citation, a unit or classes, and nodata by which gaps are filled."""
    found = named(name)
    assert found.told == name
    assert found.data.license.url.startswith("https://")
    assert len(found.data.license.text) > 40
    assert found.data.citation
    variable = found.variable
    assert variable.nodata is not None
    assert variable.units or variable.classes or found.data.changes


def test_masks_are_masks_of_jobs() -> None:
    """Each mask of each data set makes a job that is valid."""
    for provider, data in known().items():
        for mask in data.masks:
            name = next(one for one in data.variables if data.variables[one].type == "continuous")
            job = Job(
                zones="a.parquet", source={"kind": "dataset", "name": provider, "datetime": "2024"},
                bands={"one": name}, mask=mask, statistics=["mean"], output={"path": "out"},
            )  # fmt: skip
            assert set(job.bands) == {"one", data.masks[mask]["band"]}


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    """By its path; the variable may be left out where there is but one."""
    path = data_set(tmp_path, PLACE)
    assert named(path).told == named(f"{path}:height").told == "own:height"


def test_folders_come_before_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's data set of a name is taken in the place of ours; of two folders the first."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, title in ((first, "mine"), (second, "other")):
        folder.mkdir()
        data_set(folder, PLACE, name="nasadem", title=title)
    monkeypatch.setenv(FOLDERS, f"{first}:{second}")
    assert named("nasadem").data.title == "mine"
    assert "copernicus_dem" in known()
    monkeypatch.setenv(FOLDERS, str(tmp_path / "none"))
    with pytest.raises(SourceError, match="which is no folder"):
        named("nasadem")


def test_other_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point that names a folder adds its data sets."""
    (tmp_path / "made_package.py").write_text(f"FOLDER = {str(tmp_path)!r}\n")
    data_set(tmp_path, PLACE, name="added")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("made", "made_package:FOLDER", module.GROUP)
    monkeypatch.setattr(module, "entry_points", lambda group: [point])
    assert named("added").told == "added:height"


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"licence": 1}, "licence"),
    "no variable": ({"variables": {}}, "variables"),
    "classes of a number": (
        {"variables": {"a": {"about": "A.", "resolution": "1", "classes": {1: "one"}}}},
        "type categorical",
    ),
    "a scale alone": (
        {"variables": {"a": {"about": "A.", "resolution": "1", "scale": 2}}}, "go together"
    ),
    "no such place": ({"place": {"kind": "ftp"}}, "place"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    """The file and the key are named."""
    keys, said = BROKEN[name]
    path = Path(data_set(tmp_path, PLACE))
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | keys))
    with pytest.raises(SourceError, match=said) as error:
        named(str(path))
    assert str(path) in str(error.value)


def test_names_that_are_none(tmp_path: Path) -> None:
    """The nearest one is offered."""
    for name, said in (
        ("copernicus:elevation", "there is no data set"),
        ("copernicus_dem:elevatoin", "did you mean 'elevation'"),
        ("sentinel2_l2a", "say which: sentinel2_l2a:coastal"),
        (str(tmp_path / "none.yaml"), "cannot be read"),
    ):
        with pytest.raises(SourceError, match=said):
            named(name)
