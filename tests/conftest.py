"""What every test needs: no environment of the person who runs them, and a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OURS = ("CAUSEWAY_HOME", "CAUSEWAY_INBOX", "CAUSEWAY_MAPPINGS", "CAUSEWAY_ORG", "DAGSTER_HOME")


@pytest.fixture(autouse=True, scope="session")
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of its own, so that a test can neither see nor touch anybody's data."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OURS:
            patch.delenv(name, raising=False)
        patch.setenv("CAUSEWAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
        patch.setenv("COLUMNS", "100")
        yield


CHROMIUM = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium of the machine.

    It ends with its module: its event loop runs in the test's thread, where no other loop can
    start meanwhile.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    # Chromium's sandbox refuses root.
    arguments = [*CHROMIUM, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A tab of its own, without cookies. An error on its console fails the test."""
    errors: list[str] = []
    with browser.new_context(ignore_https_errors=True) as context:
        tab = context.new_page()
        tab.set_default_timeout(20_000)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        yield tab
    assert errors == []
