"""Headless Chromium, as AISLE_CHROMIUM names it, on a page in a file or of a server."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

PHONE, TABLET, DESK = (390, 844), (768, 1024), (1440, 900)


@dataclass
class Opened:
    """A page, with what it complained of and what it asked the network for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def opened(place: Path | str, size: tuple[int, int] = DESK, scheme: str = "light") -> Iterator[Opened]:
    """The page in a file, or at an address, in a window of this size; skips where there is no browser."""
    chromium = os.environ.get("AISLE_CHROMIUM")
    if not chromium:
        pytest.skip("AISLE_CHROMIUM names no browser.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        seen = Opened(page)
        page.on("console", lambda message: seen.complaints.append(message.text))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith("data:") or seen.requests.append(asked.url))
        page.goto(place.as_uri() if isinstance(place, Path) else place)
        try:
            yield seen
        finally:
            browser.close()
