"""Where the environments of these tests are kept."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(pytestconfig: pytest.Config) -> Path:
    """A folder that stays between runs."""
    return pytestconfig.cache.mkdir("environments")
