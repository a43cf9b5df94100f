"""A real browser without a window: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.made.artefacts import artefact

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation',
  (event) => window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));"""


def chromium() -> str:
    """The program; skips the test where it is missing, but fails where it must be there."""
    found = shutil.which("chromium")
    if found is None and os.environ.get("ZONALBATCH_CI"):
        pytest.fail("chromium is not installed, which .ci/run should have seen to")
    if found is None:
        pytest.skip("chromium is not installed")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser that is ended with the block."""
    from playwright.sync_api import sync_playwright

    program = chromium()
    with sync_playwright() as player:
        started = player.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@dataclass
class Watched:
    """A page, and what must not happen on it."""

    page: Page
    home: str
    """Address of the service."""
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, started: Browser, home: str, **options: Any) -> Watched:
        """A new page of a browser, in a context of its own."""
        usual = {"viewport": {"width": 1280, "height": 960}}
        page = started.new_context(**usual | options).new_page()
        page.set_default_timeout(20_000)
        one = cls(page, home)
        page.add_init_script(_WATCH)
        page.on("request", lambda request: one.requests.append(request.url))
        page.on("pageerror", lambda error: one.console.append(str(error)))
        page.on("console", one._heard)
        return one

    def _heard(self, message: Any) -> None:
        # Chromium itself tells of every answer that is a refusal; the page shows those.
        refused = message.text.startswith("Failed to load resource") and "/api/" in str(
            message.location
        )
        if message.type in ("error", "warning") and not refused:
            self.console.append(message.text)

    def assert_well(self) -> None:
        """No other host was asked, nothing broke, and no rule of the page was violated."""
        abroad = [url for url in self.requests if not url.startswith(("data:", "blob:"))]
        hosts = {urlsplit(url).netloc for url in abroad}
        assert hosts == {urlsplit(self.home).netloc}
        assert self.console == []
        assert self.page.evaluate("window.violations") == []

    def keep(self, name: str) -> Path:
        """A picture of the whole page, in the folder that ZONALBATCH_ARTEFACTS names."""
        path = artefact(name)
        self.page.screenshot(path=path, full_page=True)
        return path
