"""
The Redis pair of packaging/examples in memory only: what has died comes back with nothing, and must not be promoted.

Its instances are started again at once, in place, which is what Pacemaker does without the README's threshold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import redis_pair
from lab import Lab
from redis_pair import Pair

IN_MEMORY = "config=/etc/tocsin/volatile.yaml"
IN_PLACE = "migration-threshold=INFINITY"


@pytest.fixture(scope="module")
def lab_nodes() -> int:
    """Run a pair."""
    return 2


@pytest.fixture(scope="module")
def lab_overlay(installed: Path) -> Callable[[Path], None]:
    """Run the working tree, with the example in /etc/tocsin."""
    return partial(redis_pair.fill, installed)


@pytest.fixture(scope="module")
def volatile(lab: Lab) -> Iterator[Pair]:
    """Run the pair for all tests of the module."""
    with redis_pair.running(lab, IN_MEMORY, IN_PLACE) as pair:
        yield pair


def test_one_that_comes_back_with_nothing_is_not_promoted_over_data(volatile: Pair) -> None:
    """Pacemaker would promote it again in place; neither its score nor promote let it."""
    volatile.begin()
    for number in range(1, 4):
        promoted, replica = volatile.wait()
        assert volatile.ask(promoted, "incr", "kept") == f"{number}\n"
        assert volatile.ask(promoted, "wait", "1", "1000") == "1\n"
        volatile.kill(promoted)
        volatile.wait_for_deaths(number)
        assert volatile.wait() == (replica, promoted)
        assert volatile.ask(replica, "get", "kept") == f"{number}\n"


def test_when_nothing_is_left_anywhere_the_pair_works_again_by_itself(volatile: Pair) -> None:
    """Nobody has anything to lose."""
    promoted, replica = volatile.begin()
    assert volatile.ask(promoted, "set", "gone", "1") == "OK\n"
    volatile.kill(promoted, replica)
    volatile.wait_for_deaths(2)
    found, _ = volatile.wait()
    assert volatile.ask(found, "get", "gone") == "\n"
