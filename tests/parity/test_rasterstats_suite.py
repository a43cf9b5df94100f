"""rasterstats' own tests, unmodified, with its name pointed at our module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.peer_suites import failures_of, suite_of

NO_COMMAND = "a subcommand of rio; ours are `zonalbatch stats` and `zonalbatch points`"
WINDOWS = "an inner part: the engine reads blocks, not a window for each zone"
BILINEAR = "an inner part: the engine has its own bilinear weights"
CSV = "an inner part: how its command writes CSV"

EXCEPTIONS: dict[str, str] = {
    "test_io.py::test_boundless": WINDOWS,
    "test_io.py::test_boundless_masked": WINDOWS,
    "test_io.py::test_window_bounds": WINDOWS,
    "test_io.py::test_bounds_window": WINDOWS,
    "test_io.py::test_rowcol": WINDOWS,
    "test_io.py::test_Raster_index": WINDOWS,
    "test_io.py::test_Raster": WINDOWS,
    "test_io.py::test_Raster_boundless_disabled": WINDOWS,
    "test_io.py::test_Raster_context": WINDOWS,
    "test_io.py::test_pyogrio_unknown_feature_count": "replaces pyogrio inside of its module",
    "test_point.py::test_unitxy_ul": BILINEAR,
    "test_point.py::test_unitxy_ur": BILINEAR,
    "test_point.py::test_unitxy_lr": BILINEAR,
    "test_point.py::test_unitxy_ll": BILINEAR,
    "test_point.py::test_bilinear": BILINEAR,
    "test_point.py::test_xy_array_bilinear_window": BILINEAR,
    "test_point.py::test_geom_xys": "an inner part: shapely gives the vertices at once",
    "test_utils.py::test_csv": CSV,
    "test_utils.py::test_categorical_csv": CSV,
    "test_utils.py::test_boxify_non_point": "an inner part: points become cells in marks.py",
    "test_cli.py::test_cli_feature": NO_COMMAND,
    "test_cli.py::test_cli_feature_stdin": NO_COMMAND,
    "test_cli.py::test_cli_features_sequence": NO_COMMAND,
    "test_cli.py::test_cli_features_sequence_rs": NO_COMMAND,
    "test_cli.py::test_cli_featurecollection": NO_COMMAND,
    "test_cli.py::test_cli_pointquery": NO_COMMAND,
    "test_cli.py::test_cli_point_sequence": NO_COMMAND,
    "test_cli.py::test_cli_point_sequence_rs": NO_COMMAND,
}
"""Tests that do not pass, each with its reason: all are of the peer's inner parts."""


@pytest.mark.long
def test_suite_of_rasterstats(tmp_path: Path) -> None:
    """All tests of rasterstats pass with our module in its place, but those named above."""
    failed, passed = failures_of(
        suite_of("rasterstats", "0.21.0", "tests"), "tests.parity.rasterstats_names", tmp_path,
        "-W", "error", "-W", "ignore::UserWarning",
        "-W", "ignore:Use .@. matmul:PendingDeprecationWarning",
    )  # fmt: skip
    assert failed == sorted(EXCEPTIONS)
    assert passed >= 90
