"""Whether the service lives, what it tells of itself, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.made.service import AREA, RASTER, Served

FACT = {"aoi": AREA, "url": "file:///fact.tif"}


def test_health_and_readiness(service: Served) -> None:
    """Both are for all who ask."""
    for path in ("/health", "/ready"):
        answer = service.client.get(path)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ok"


def test_metrics(service: Served) -> None:
    """Requests by route and status, as Prometheus reads them."""
    service.answer(RASTER, FACT)
    text = service.client.get("/metrics").text
    line = f'zonalbatch_requests_total{{path="{RASTER}",status="200"}}'
    assert float(re.search(re.escape(line) + r" (\S+)", text)[1]) >= 1  # type: ignore[index]
    assert "zonalbatch_questions_waiting 0.0" in text
    assert "fact.tif" not in text


def test_headers(service: Served) -> None:
    """Each answer has an id, its sender's if that is a plain one, and headers that protect."""
    answer = service.ask(RASTER, FACT, {"X-Request-ID": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    odd = service.ask(RASTER, FACT, {"X-Request-ID": 'a"b' * 50})
    assert re.fullmatch("[0-9a-f]{32}", odd.headers["x-request-id"])
    for found in (answer, service.client.get("/docs"), service.client.get("/none")):
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'self'" in found.headers["content-security-policy"]
        assert "server" not in found.headers


def test_docs_name_no_other_host(service: Served) -> None:
    """The page of the OpenAPI document works without a network."""
    page = service.client.get("/docs").text
    links = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith("/")
        assert service.client.get(link).status_code == 200
    paths = service.client.get("/openapi.json").json()["paths"]
    assert RASTER in paths


@pytest.fixture
def process(root: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, as a user starts it."""
    variables = {"ROOT": str(root), "WORKERS": "1", "SECONDS": "20"}
    environment = {f"ZONALBATCH_SERVICE_{name}": value for name, value in variables.items()}
    with subprocess.Popen(
        [sys.executable, "-c", "from zonalbatch.cli import main; main()", "serve", "--port", "0"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    ) as running:  # fmt: skip
        yield running
        running.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    """Where it listens, by its log."""
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"running on (http://\S+)", json.loads(line)["message"])
        if found:
            return found[1]
    raise AssertionError("the service did not start")


def test_it_stops_gracefully(process: subprocess.Popen[str]) -> None:
    """SIGTERM: what is under way is answered, then it ends with 0, and its log is JSON."""
    url, answers = url_of(process), list[httpx.Response]()

    def ask() -> None:
        answers.append(httpx.post(f"{url}{RASTER}", json=FACT, timeout=60))

    asking = threading.Thread(target=ask)
    asking.start()
    while "zonalbatch_questions_waiting 1.0" not in httpx.get(f"{url}/metrics").text:
        if answers:
            break
    process.send_signal(signal.SIGTERM)
    asking.join()
    assert answers[0].json()["band_1"]["count"] == 10
    assert process.wait(60) == 0
    assert process.stderr is not None
    lines = [json.loads(line) for line in process.stderr]
    told = next(line for line in lines if line.get("path") == RASTER)
    assert told["request_id"] == answers[0].headers["x-request-id"]
    assert told["status"] == 200


def test_a_wrong_setting() -> None:
    """One sentence, exit code 2."""
    ended = subprocess.run(
        [sys.executable, "-c", "from zonalbatch.cli import main; main()", "serve"],
        env={**os.environ, "ZONALBATCH_SERVICE_SECONDS": "soon"}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: ZONALBATCH_SERVICE_SECONDS")
    assert ended.stderr.count("\n") == 1
