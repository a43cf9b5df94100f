"""More of the same job into the same output: only what is new is computed, nothing stands twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest

from tests.made.places import LEFT
from tests.made.runs import cut_small
from tests.made.scenes import asset, item, write_items
from tests.made.series import SIDE, Killed, Series, series
from zonalbatch import api
from zonalbatch.errors import InputError, SchemaError
from zonalbatch.planning.identity import METHOD
from zonalbatch.sinks.output import Output

ALL = SIDE * SIDE


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Series]:
    """A series of four dates, run over twelve of its sixteen zones and three of its dates."""
    with series(tmp_path) as found:
        for number in range(4):
            found.date(number)
        yield found


DATES = ["20200101", "20200201", "20200301", "20200401"]


def blocks(dates: list[str], zones: range | list[int]) -> set[tuple[str, int, int]]:
    """The blocks that hold some zones."""
    return {(date, *divmod(zone, SIDE)) for date in dates for zone in zones}


def moved(zones: geopandas.GeoDataFrame, *ids: int) -> geopandas.GeoDataFrame:
    """The zones with some of them a cell further east, within their blocks."""
    shift = zones["id"].isin(ids)
    return zones.set_geometry(zones.geometry.where(~shift, zones.translate(10.0, 0)))


def rows(made: Series) -> pd.DataFrame:
    """The rows of the output by zone and layer."""
    return made.results().table.to_pandas().set_index(["zone_id", "layer"]).sort_index()


class TestOnlyWhatIsNew:
    """Each change reads its own blocks, once, and leaves the digest of a fresh run."""

    @pytest.fixture(autouse=True, params=[40, 1_000_000], ids=["small parts", "one part"])
    def _parts(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        cut_small(monkeypatch, request.param)

    def check(self, made: Series, zones: geopandas.GeoDataFrame, dates: list[str]) -> None:
        """The rows are those of a fresh run; none stands twice."""
        assert not made.twice
        assert rows(made).index.is_unique
        assert made.results().digest == made.fresh(zones, dates)

    def test_the_same_again(self, made: Series) -> None:
        """Nothing is read, nothing is written."""
        zones = made.zones()
        first = made.run(zones, DATES[:3])
        assert made.read == blocks(DATES[:3], range(ALL))
        again = made.run(zones, DATES[:3])
        assert (made.read, again.computed, again.fingerprint) == (set(), 0, first.fingerprint)

    def test_a_date(self, made: Series) -> None:
        """One more date reads that date."""
        zones = made.zones()
        before = made.run(zones, DATES[:3])
        old = rows(made)
        report = made.run(zones, DATES)
        assert made.read == blocks(DATES[3:], range(ALL))
        assert report.parts - report.computed == before.parts
        pd.testing.assert_frame_equal(rows(made).loc[old.index], old)
        self.check(made, zones, DATES)

    def test_a_zone(self, made: Series) -> None:
        """One more zone reads its block of every date, wherever it stands in the input."""
        zones = made.zones()
        made.run(zones.drop(index=6), DATES)
        report = made.run(zones[::-1], DATES)
        assert made.read == blocks(DATES, [6])
        assert report.rewritten == 0
        self.check(made, zones, DATES)

    def test_an_edited_zone(self, made: Series) -> None:
        """It reads its block; the rows of its neighbours are taken from the earlier file."""
        zones = made.zones()
        made.run(zones, DATES)
        report = made.run(moved(zones, 6), DATES)
        assert made.read == blocks(DATES, [6])
        assert report.rewritten > 0
        self.check(made, moved(zones, 6), DATES)

    def test_a_replaced_date(self, made: Series) -> None:
        """A file with other pixels reads that file."""
        zones = made.zones()
        made.run(zones, DATES)
        made.date(2, seed=1)
        made.run(zones, DATES)
        assert made.read == blocks([DATES[2]], range(ALL))
        self.check(made, zones, DATES)

    def test_all_at_once(self, made: Series) -> None:
        """Zones and dates that are new, edited, replaced and removed."""
        zones = made.zones()
        made.run(zones.drop(index=[1, 9]), DATES[:3])
        made.date(1, seed=1)
        last, dates = moved(zones, 4, 6).drop(index=[0, 5]), DATES[1:]
        made.run(last, dates, prune=True)
        own = set(last["id"])
        assert made.read == (
            blocks([DATES[1], DATES[3]], sorted(own)) | blocks([DATES[2]], [1, 9, 4, 6])
        )
        self.check(made, last, dates)

    def test_what_is_removed(self, made: Series) -> None:
        """Nothing is read where rows only go."""
        zones = made.zones()
        made.run(zones, DATES)
        made.run(zones.iloc[3:], DATES[1:], prune=True)
        assert made.read == set()
        self.check(made, zones.iloc[3:], DATES[1:])

    def test_back_again(self, made: Series) -> None:
        """What was removed and comes back is read again."""
        zones = made.zones()
        made.run(zones, DATES)
        made.run(zones.iloc[1:], DATES, prune=True)
        made.run(zones, DATES)
        assert made.read == blocks(DATES, [0])
        self.check(made, zones, DATES)

    @pytest.mark.parametrize("survives", [0, 1, 2])
    def test_a_run_that_was_killed(self, made: Series, survives: int) -> None:
        """An increment that was killed goes on, reads nothing twice, and ends the same."""
        zones, last = made.zones(), moved(made.zones(), 6)
        made.run(zones, DATES[:3])
        made.survives = survives
        try:
            made.run(last, DATES)
        except Killed:
            before = set(made.read)
        else:
            pytest.skip("there are no more parts")
        made.survives = None
        made.run(last, DATES)
        assert not before & made.read
        assert before | made.read == blocks(DATES[3:], range(ALL)) | blocks(DATES, [6])
        self.check(made, last, DATES)

    def test_another_increment_on_one_that_was_killed(self, made: Series) -> None:
        """What is done of either is kept."""
        zones, last = made.zones(), moved(made.zones(), 6, 7)
        made.run(zones, DATES[:2])
        made.survives = 1
        with pytest.raises(Killed):
            made.run(moved(zones, 6), DATES[:3])
        made.survives = None
        made.run(last, DATES)
        assert not made.read & blocks(DATES[:2], [z for z in range(ALL) if z not in (6, 7)])
        self.check(made, last, DATES)

    def test_a_first_run_that_was_killed(
        self, made: Series, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """New input into an output that is not sealed: what was done is kept."""
        cut_small(monkeypatch, 20)
        zones = made.zones()
        made.survives = 1
        with pytest.raises(Killed):
            made.run(zones.iloc[1:], DATES[:3])
        before = set(made.read)
        made.survives = None
        made.run(zones, DATES)
        assert not before & made.read
        assert before | made.read == blocks(DATES, range(ALL))
        self.check(made, zones, DATES)


class TestSeal:
    """An earlier file goes when all that is new is there."""

    @pytest.mark.parametrize(
        "step", ["_write_rows", "_write_zones", "_write_layers", "_drop_the_rest"]
    )
    def test_killed_while_sealing(
        self, made: Series, step: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whenever it is killed, the next run ends with the digest of a fresh one."""
        zones, last = made.zones(), moved(made.zones(), 6)
        made.run(zones, DATES)

        def killed(*_: object) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(f"zonalbatch.seal.{step}", killed)
            with pytest.raises(Killed):
                made.run(last, DATES)
        assert rows(made).index.is_unique  # also while both files are there
        made.run(last, DATES)
        assert made.read == set()
        assert made.results().digest == made.fresh(last, DATES)
        assert {f.name for f in (made.folder / "out/results").iterdir()} == {
            Path(f).name for f in made.results().files
        }
        fingerprint = Output.at(made.folder / "out").manifest()["fingerprint"]
        assert [f.name for f in (made.folder / "out/plan").iterdir()] == [fingerprint]

    def test_a_source_that_is_gone(self, made: Series) -> None:
        """Rows that cannot be taken from the earlier file are computed."""
        zones, last = made.zones(), moved(made.zones(), 6)
        made.run(zones, DATES)
        before = made.results().digest
        made.survives = 0
        with pytest.raises(Killed):
            made.run(last, DATES)
        made.survives = None
        assert made.results().digest == before  # until the next seal
        for file in (made.folder / "out/results").iterdir():
            file.write_bytes(file.read_bytes()[:-20])
        report = made.run(last, DATES)
        assert report.rewritten == 0
        assert made.results().digest == made.fresh(last, DATES)

    def test_zones_without_layer(self, made: Series) -> None:
        """They have one row, which goes when they are met, and comes when they are not."""
        zones = made.zones()
        far = zones.set_geometry(zones.translate(100_000.0, 0)).assign(id=zones["id"] + 100)
        both = pd.concat([zones.iloc[:3], far.iloc[:2]])
        made.run(both, DATES[:2])
        assert made.results().digest == made.fresh(both, DATES[:2])
        back = both.set_geometry(both.translate(100_000.0 * -(both["id"] == 100), 0))
        made.run(back, DATES)
        assert made.results().digest == made.fresh(back, DATES)

    def test_what_is_told_over_time(self, made: Series) -> None:
        """It is made of all rows, kept, rewritten and new."""
        keys: dict[str, Any] = {"temporal": {"every": "quarter", "statistics": ["mean", "max"]}}
        zones, last = made.zones(), moved(made.zones(), 6)
        made.run(zones, DATES[:2], **keys)
        made.run(last, DATES, **keys)
        found = made.results().temporal
        made.fresh(last, DATES, **keys)
        pd.testing.assert_frame_equal(found, made.results("fresh0").temporal)


class TestRefusals:
    """Nothing is lost in silence."""

    def test_what_is_not_named(self, made: Series) -> None:
        """Zones and layers that are gone are told, and the way to remove their rows."""
        zones = made.zones()
        made.run(zones, DATES)
        digest = made.results().digest
        with pytest.raises(InputError, match=r"2 zones \(such as .*\) and 1 layer .*--prune"):
            made.run(zones.iloc[2:], DATES[1:])
        with pytest.raises(InputError, match="does not name"):
            api.plan(made.job(zones.iloc[2:], DATES))
        assert made.results().digest == digest
        assert made.run(zones, DATES).computed == 0

    def test_other_columns(self, made: Series) -> None:
        """Rows of one result have the same columns."""
        zones = made.zones()
        made.run(zones, DATES)
        with pytest.raises(SchemaError, match="other columns"):
            made.run(zones.drop(columns="crop"), DATES)

    def test_another_recipe_beside_new_zones(self, made: Series) -> None:
        """What differs is named."""
        zones = made.zones()
        made.run(zones.iloc[1:], DATES)
        with pytest.raises(SchemaError, match="statistics differ"):
            made.run(zones, DATES, statistics=["max"])

    def test_a_lost_plan(self, made: Series) -> None:
        """Without the plan that its rows are of, an output takes no other input."""
        zones = made.zones()
        made.run(zones.iloc[1:], DATES)
        plan = next((made.folder / "out/plan").iterdir())
        (plan / "zones.parquet").unlink()
        with pytest.raises(SchemaError, match="plan is gone"):
            made.run(zones, DATES)

    def test_another_method(self, made: Series, monkeypatch: pytest.MonkeyPatch) -> None:
        """Numbers that another version made in another way are not gone on with."""
        zones = made.zones()
        made.run(zones.iloc[1:], DATES)
        monkeypatch.setattr("zonalbatch.claim.METHOD", METHOD + 1)
        with pytest.raises(SchemaError, match=f"method {METHOD} of another version"):
            made.run(zones, DATES)


class TestUnreadable:
    """What cannot be read today is not gone."""

    def test_a_file_that_breaks(self, made: Series) -> None:
        """Its rows stay; it is told of; what is new is computed beside it."""
        zones = made.zones()
        made.run(zones, DATES[:3])
        file = made.folder / f"s_{DATES[1]}.tif"
        whole = file.read_bytes()
        file.write_bytes(b"")
        report = made.run(zones, DATES)
        assert report.exit_code == 3
        assert any("keeps its rows" in note for note in report.notes)
        assert made.read == blocks(DATES[3:], range(ALL))
        file.write_bytes(whole)
        again = made.run(zones, DATES)
        assert (again.exit_code, again.computed) == (0, 0)
        assert made.results().digest == made.fresh(zones, DATES)


class TestWrongItems:
    """Items that are wrong about their files."""

    def test_they_are_believed_once(self, made: Series) -> None:
        """What the files said is kept: a later plan reads nothing of them."""
        items = [
            item(
                name, date=f"{date[:4]}-{date[4:6]}-{date[6:]}",
                data=asset(
                    str(made.folder / f"s_{date}.tif"), (SIDE * 32, SIDE * 32), left=LEFT + shift,
                    data_type="uint16", nodata=0,
                ),
            )
            for name, date, shift in zip("abc", DATES, (0.0, 1000.0, 0.0), strict=False)
        ]  # fmt: skip
        keys: dict[str, Any] = {"bands": {"red": "data"}}
        source = {"kind": "stac", "items": write_items(made.folder / "two.json", items[:2])}
        report = made.run(made.zones(), [], source=source, **keys)
        assert any("disagree" in note for note in report.notes)
        source = {"kind": "stac", "items": write_items(made.folder / "three.json", items)}
        made.run(made.zones(), [], source=source, **keys)
        assert made.read == blocks(DATES[2:3], range(ALL))
        again = made.run(made.zones(), [], source=source, **keys)
        assert (made.read, again.computed) == (set(), 0)
        assert made.results().digest == made.fresh(made.zones(), [], source=source, **keys)


class TestPlan:
    """A plan says what is new."""

    def test_numbers(self, made: Series) -> None:
        """Zones, layers and parts, and what is to be read for them."""
        zones = made.zones()
        first = api.plan(made.job(zones.iloc[2:], DATES[:3]))
        assert first.todo.kept == first.todo.rewritten == 0
        made.run(zones.iloc[2:], DATES[:3])
        plan = api.plan(made.job(moved(zones, 6).iloc[1:], DATES[1:]), prune=True)
        assert plan.news.zones.document == {"new": 1, "changed": 1, "removed": 0}
        assert plan.news.layers.document == {"new": 1, "changed": 0, "removed": 1}
        assert plan.todo.rewritten == 1
        assert 0 < plan.todo.decoded < plan.estimate.decoded
        same = api.plan(made.job(zones.iloc[2:], DATES[:3]))
        assert (same.todo.computed, same.todo.decoded, same.todo.kept) == (0, 0, len(same.parts))

    def test_it_claims_nothing(self, made: Series) -> None:
        """Another plan of the output leaves its results as they are."""
        zones = made.zones()
        made.run(zones.iloc[2:], DATES[:3])
        before = Output.at(made.folder / "out").manifest()
        api.plan(made.job(zones, DATES))
        assert Output.at(made.folder / "out").manifest() == before
        assert made.run(zones.iloc[2:], DATES[:3]).computed == 0
