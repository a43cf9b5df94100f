"""Whether the service lives, what it tells of itself, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

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
        told = json.loads(line)
        if told["message"] == "listening":
            return str(told["address"])
    raise AssertionError("the service did not start")


@pytest.mark.long
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


def ended(*arguments: str, **settings: str) -> tuple[int, str]:
    """The exit code and the last line of a service that does not start."""
    named = {f"ZONALBATCH_SERVICE_{name}": value for name, value in settings.items()}
    process = subprocess.run(
        [sys.executable, "-c", "from zonalbatch.cli import main; main()", "serve", *arguments],
        env={**os.environ, **named}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in process.stderr
    return process.returncode, process.stderr.splitlines()[-1]


def test_a_wrong_setting() -> None:
    """One sentence, exit code 2."""
    code, said = ended(SECONDS="soon")
    assert code == 2
    assert said.startswith("error: ZONALBATCH_SERVICE_SECONDS")


def test_a_port_that_is_taken() -> None:
    """Told at once, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = ended("--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "choose another" in said


@pytest.mark.long
def test_a_folder_of_jobs_that_cannot_be_made() -> None:
    """One sentence, with exit code 4."""
    code, said = ended("--port", "0", JOBS="/proc/jobs")
    assert code == 4
    assert said.startswith("error: ")


def test_who_hangs_up_makes_no_noise(service: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Two requests at once by a connection that is closed before the first answer."""
    host, port = urlsplit(service.url).netloc.split(":")
    body = json.dumps(FACT).encode()
    head = f"POST {RASTER} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(2 * request)
    assert service.answer(RASTER, FACT)["band_1"]["count"] == 10
    assert not [record for record in caplog.records if record.exc_info]
