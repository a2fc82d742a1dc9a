"""What every test needs: no environment of the person who runs them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

OURS = ("CAUSEWAY_HOME", "CAUSEWAY_INBOX", "CAUSEWAY_MAPPINGS", "CAUSEWAY_ORG", "DAGSTER_HOME")


@pytest.fixture(autouse=True, scope="session")
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home of its own, so that a test can neither see nor touch anybody's data."""
    with pytest.MonkeyPatch.context() as patch:
        for name in OURS:
            patch.delenv(name, raising=False)
        patch.setenv("CAUSEWAY_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")
        patch.setenv("COLUMNS", "100")
        yield
