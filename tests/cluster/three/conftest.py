"""One cluster of three nodes with fencing, without Tocsin, mended after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab import Lab
from three_nodes import mend, prepare


@pytest.fixture(scope="package")
def lab(cluster_possible: None) -> Iterator[Lab]:
    """Run three nodes, of which two are a majority, and the third is fenced."""
    with Lab(3, timeout=120, fencing=True) as running:
        yield running


@pytest.fixture
def three(lab: Lab) -> Iterator[Lab]:
    """Mend the cluster after the test."""
    prepare(lab)
    yield lab
    mend(lab)
