"""exactextract's own tests, unmodified, with its name pointed at our module.

Tests that need osgeo or QGIS are skipped by the suite itself where these are not installed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.parity.peer_suites import failures_of, suite_of

TRUNCATED = "the peer merges equal values and cuts quantiles of integers to integers; ours is 3.5"

EXCEPTIONS: dict[str, tuple[int, str]] = {
    "test_exact_extract.py::test_basic_stats": (4, TRUNCATED),
    "test_feature.py::test_json_feature": (1, "check() tries the peer's C++ bindings"),
}
"""How often a test does not pass, and why."""


@pytest.mark.long
def test_suite_of_exactextract(tmp_path: Path) -> None:
    """All tests of exactextract pass with our module in its place, but those named above."""
    failed, passed = failures_of(
        suite_of("exactextract", "0.3.0", "python/tests"), "tests.parity.exactextract_names",
        tmp_path,
    )  # fmt: skip
    assert failed == sorted(name for name, (n, _) in EXCEPTIONS.items() for _ in range(n))
    assert passed >= 120
