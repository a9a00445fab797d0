"""What a check may use of the outside, in one value, as the composition root or a test hands it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred, fail

from tocsin_daemon.core.check import Outcome

if TYPE_CHECKING:
    from tocsin_daemon.children import Program
    from tocsin_ocf.processes import Process

Tell = Callable[[Outcome], None]


class UnknownName(Exception):
    """A host name that has no address, or nobody who could tell: a check's error, not the service's failure."""


@dataclass(frozen=True)
class Ended:
    """
    What came of a command: its exit status (negative: a signal; None where nobody knows), and what it wrote.

    `output` is what it wrote to stdout, `errors` to stderr, as much of each as was to be kept. `flooded`: it wrote
    without end, and was cut off.
    """

    status: int | None
    output: bytes = b""
    errors: bytes = b""
    flooded: bool = False


class PolledCheck(Protocol):
    """A check that looks when it is told to."""

    def run(self) -> Deferred[Outcome]:
        """
        Look once.

        Never fails: what goes wrong is an Outcome. Cancelling frees everything at once (sockets, processes). When it is
        time to give up is not the check's to decide: whoever asked cancels.
        """


class PushedCheck(Protocol):
    """A check that is told by somebody else, and tells when there is something new."""

    def begin(self, tell: Tell) -> None:
        """Tell every outcome from now on, the present one soon; `tell` is never called from within `begin`."""

    def end(self) -> None:
        """Tell nothing any more, and free everything."""


def _no_names(host: str) -> Deferred[list[str]]:
    return fail(UnknownName(f"no address of {host} is known"))


@dataclass(frozen=True)
class Outside:
    """
    The outside of one resource's checks.

    `run` executes a command in a session of its own, keeps some KiB of its output, and fails with OSError where it
    cannot be executed; cancelling kills the whole session. `members` are the service's living processes. `bus` is
    the system's D-Bus, `notify` the service's notify socket: each is made when first asked for.

    `lost` is a running total: the seconds in which the daemon or the machine was starved, which are not to count
    against anybody (`core/stretch.py`); a polled check need not care, for whoever cancels it does.

    `lately` are `members` as of a second ago at most: much cheaper where many ask, and good enough to count by.

    `waited` is another: the seconds in which the service's own processes waited for processor, memory or disk; None
    where the kernel does not tell.

    `addresses` looks a host name up without threads, as the reactor's `nameResolver` does (`names.py`), so endpoints of
    host names may be used; it fails with UnknownName.
    """

    reactor: Any
    resource: str
    run: Callable[[Program], Deferred[Ended]]
    members: Callable[[], list[Process]] = list
    bus: Callable[[], Any] = lambda: None
    notify: Callable[[], Any] = lambda: None
    lost: Callable[[], float] = lambda: 0.0
    addresses: Callable[[str], Deferred[list[str]]] = _no_names
    waited: Callable[[], float | None] = lambda: None
    lately: Callable[[], list[Process]] = list
