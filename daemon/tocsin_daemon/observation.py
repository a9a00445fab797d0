"""Who follows a real daemon, put together: metrics, hooks, and the log of reports; each only where it is wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.commands import KEPT
from tocsin_daemon.core.record import Record
from tocsin_daemon.hooks.configuration import Hook
from tocsin_daemon.hooks.following import Hooks, run
from tocsin_daemon.tools import Tools

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

    from tocsin_daemon.children import Children
    from tocsin_daemon.daemon import Daemon
    from tocsin_daemon.hooks.courier import Count, Deliver
    from tocsin_daemon.metrics.address import Address
    from tocsin_daemon.metrics.exposition import Metrics, Seen

log = Logger()

LIBRARY = "metrics are not served: install python3-prometheus-client (with pip: tocsin[metrics])"


def uncounted(_: str) -> None:
    """Count nothing: nobody wants metrics."""


def serve_metrics(reactor: EPollReactor, address: Address | None, daemon: Daemon, chronicle: Chronicle) -> Count:
    """
    Count and serve from now on, if there is an address; return what counts the hooks' deliveries.

    Without the library only say so: no service may want for its daemon because of that.
    """
    if address is None:
        return uncounted
    from tocsin_daemon.metrics import beat, endpoint  # noqa: PLC0415 - twisted.web is not loaded where nobody scrapes

    try:
        from tocsin_daemon.metrics.exposition import Metrics  # noqa: PLC0415
    except ImportError:
        log.error(LIBRARY)
        return uncounted
    metrics = Metrics(partial(seen, daemon), partial(failing, daemon))
    chronicle.followers.append(metrics.follow)
    beat.Beat(reactor, metrics.late)
    endpoint.serve(reactor, address, endpoint.site(reactor, metrics))
    return partial(count, metrics)


def count(metrics: Metrics, outcome: str) -> None:
    """Count a delivery to a hook."""
    metrics.hooks.labels(outcome).inc()


def seen(daemon: Daemon) -> Iterator[Seen]:
    """Yield every resource, and what its checks have found, as it is when it is asked for."""
    for resource in list(daemon.resources.values()):
        yield resource.record, resource.service.watch.rows()


def failing(daemon: Daemon, name: str) -> float | None:
    """Return for how many seconds the checks of a resource have seen what they now call a failure."""
    since = daemon.resources[name].service.watch.failing_since()
    return None if since is None else daemon.world.clock.seconds() - since


def hooks(reactor: EPollReactor, children: Children, path: str, chronicle: Chronicle, counted: Count) -> Hooks:
    """Return the hooks, which have read their file and follow what happens."""
    found = Hooks(path, reactor, time.time, partial(_way, reactor, Tools(reactor, children, KEPT)), counted)
    found.read()
    chronicle.followers.append(found.follow)
    return found


def _way(reactor: EPollReactor, tools: Tools, hook: Hook) -> Deliver:
    if hook.command:
        return partial(run, tools.run, hook)
    from twisted.web.client import Agent  # noqa: PLC0415 - only a URL needs it

    from tocsin_daemon.hooks.post import post  # noqa: PLC0415

    return partial(post, reactor, Agent(reactor), hook.url, hook.headers, hook.timeout)


def records(daemon: Daemon) -> list[Record]:
    """Return the record of every resource."""
    return [resource.record for resource in daemon.resources.values()]
