"""What the service answers where a picture is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.made.service import Served

PICTURE = "/api/v1/pictures/raster"
FACT = {"url": "file:///fact.tif"}


def test_a_picture_and_what_is_seen_on_it(service: Served) -> None:
    """A PNG; its headers tell its edges, the values of its ends and its colours."""
    answer = service.ask(PICTURE, {**FACT, "size": 64})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")
    bounds = [float(one) for one in answer.headers["picture-bounds"].split(",")]
    assert bounds == pytest.approx([-0.16, 51.50, -0.10, 51.53])
    assert answer.headers["picture-values"] == "3.0,6.0"
    assert answer.headers["picture-ramp"].split(",")[0] == "440154"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"url": "file:///none.tif"}, 400),
        ({"url": "file:///../etc/passwd"}, 400),
        ({**FACT, "band": 2}, 400),
        ({**FACT, "band": 0}, 422),
        ({**FACT, "size": 1025}, 422),
        ({**FACT, "bounds": [1, 50, 0, 51]}, 400),
        ({**FACT, "bounds": [10, 50, 11, 51]}, 400),
        ({**FACT, "values": [2, 1]}, 400),
        ({**FACT, "more": 1}, 422),
        ({**FACT, "bounds": [1, 2, 3]}, 422),
        ({**FACT, "bounds": [0, 50, 200, 51]}, 422),
    ],
)
def test_what_is_no_picture_is_refused(service: Served, body: Any, status: int) -> None:
    """Each with its status and why."""
    answer = service.ask(PICTURE, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]


def test_the_page_is_for_everybody(service: Served) -> None:
    """HTML, style and modules have their types and the strict policy; nothing else is there."""
    for path, kind in (("/", "text/html"), ("/page/style.css", "text/css"),
                       ("/page/main.js", "text/javascript")):  # fmt: skip
        answer = service.client.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert "unsafe" not in answer.headers["content-security-policy"]
    assert service.client.get("/page/../settings.py").status_code == 404
    assert service.client.get("/page/").status_code == 404
