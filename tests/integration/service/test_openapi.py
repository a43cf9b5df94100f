"""The OpenAPI document is kept: schemathesis asks what it allows, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.made.service import Served

CONFIG = """
# Sources of made-up links do not answer (502), shapes may be valid JSON but no areas (400, 413),
# and a file may be no raster (415): none is a fault.
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 502, 504]
positive_data_acceptance.expected-statuses = ["2xx", 400, 404, 413, 415, 502, 504]
"""


@pytest.mark.long
def test_nothing_is_found(service: Served, tmp_path: Path) -> None:
    """No fault, no status or body that is not in the document, no invalid body that is taken."""
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json"),
            *("--checks", "all", "--max-examples", "60", "--seed", "1"),
            *("--suppress-health-check", "all"),
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout[-6000:]
