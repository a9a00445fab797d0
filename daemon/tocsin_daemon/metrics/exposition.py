"""
The metrics of a daemon in the words of Prometheus; the only importer of its library, and only where metrics are wanted.

What is so now is read when somebody asks; what has happened is counted when it happens, from the edges of records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, cast

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tocsin_daemon.core.cause import CATEGORIES, category
from tocsin_daemon.core.edges import Edge, elapsed
from tocsin_daemon.core.record import Record
from tocsin_daemon.metrics.samples import BUILD, FAMILIES, Family, samples
from tocsin_ocf import __version__

if TYPE_CHECKING:
    from tocsin_daemon.watch import Row

MILLISECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of a latency's buckets: from what a report takes to what maintenance may hold it."""

SLICE = 100
"""Samples of a piece. The longest step is the library collecting a counter by resource: 7 ms of 300, 23 ms of 1000."""

Seen = tuple[Record, "Iterable[Row]"]
"""A resource, and what its checks have found."""


class Metrics:
    """All metrics of one daemon."""

    def __init__(self, seen: Callable[[], Iterable[Seen]], failing: Callable[[str], float | None]) -> None:
        """
        Tell what `seen` returns.

        `failing` returns for how many seconds the checks of a resource have seen what they have now called a failure.
        """
        self._seen = seen
        self._failing = failing
        self._begun: set[str] = set()
        self.registry = CollectorRegistry()
        self._incidents = Counter(
            "tocsin_incidents",
            "Failures of a service that ran, by their kind.",
            ("resource", "cause"),
            registry=self.registry,
        )
        self._reports = Counter(
            "tocsin_reports",
            "What became of reports to Pacemaker; held ones may go on.",
            ("resource", "outcome"),
            registry=self.registry,
        )
        self._restarts = Counter(
            "tocsin_restarts", "Restarts here, told to nobody.", ("resource",), registry=self.registry
        )
        self._detection = _latency(
            "tocsin_check_detection_seconds", "From the first bad look to the failure.", self.registry
        )
        self._report = _latency("tocsin_report_seconds", "From an incident to its report to Pacemaker.", self.registry)
        self._recovery = _latency("tocsin_recovery_seconds", "From an incident to a service that is up.", self.registry)
        self._lag = _latency("tocsin_loop_lag_seconds", "By how much the event loop came too late.", self.registry)
        self.hooks = Counter(
            "tocsin_hook_deliveries", "Events told to hooks, by what came of it.", ("outcome",), registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def follow(self, happened: tuple[Edge, ...], before: Record, after: Record) -> None:
        """Count what has happened to a resource."""
        name, incident = after.resource, after.incident
        self._begin(name)
        if Edge.RESTART in happened:
            self._restarts.labels(name).inc()
        if incident is None:
            return
        if Edge.INCIDENT in happened:
            lives = after.failure is not None and after.failure.lives
            self._incidents.labels(name, category(incident.cause, lives=lives, drill=incident.drill)).inc()
            failing = self._failing(name) if lives and not incident.drill else None
            if failing is not None:
                self._detection.observe(failing)
        if Edge.OUTCOME in happened:
            self._reports.labels(name, incident.stage.value).inc()
        for edge, mark, latency in (
            (Edge.REPORTED, "reported", self._report),
            (Edge.RECOVERY, "recovered", self._recovery),
        ):
            if edge in happened:
                latency.observe(elapsed(incident, mark))

    def _begin(self, name: str) -> None:
        """Count from nothing: Prometheus sees no increase in a counter that appears with its first event."""
        if name not in self._begun:
            self._begun.add(name)
            self._restarts.labels(name)
            for kind in CATEGORIES:
                self._incidents.labels(name, kind)

    def late(self, seconds: float) -> None:
        """Count by how much a beat of the event loop came too late."""
        self._lag.observe(max(0.0, seconds))

    def pieces(self) -> Iterator[bytes]:
        """Yield the page in pieces, none of which takes long to make: a death must not wait for all of them."""
        for metric in self.registry.collect():
            yield from _texts(metric)
        families = {family: _family(family) for family in FAMILIES}
        families[BUILD].add_metric((__version__,), 1.0)
        for record, rows in self._seen():
            for family, labels, value in samples(record, rows):
                families[family].add_metric(labels, value)
            yield b""
        for metric in families.values():
            yield from _texts(metric)


class _One:
    """A registry of one metric."""

    def __init__(self, metric: Metric) -> None:
        """Hold it."""
        self._metric = metric

    def collect(self) -> Iterator[Metric]:
        """Yield it, as the library asks for it."""
        yield self._metric


def _texts(metric: Metric) -> Iterator[bytes]:
    """Yield the text of a metric in pieces, the first with its meaning and type; without when each of it was made."""
    told = [sample for sample in metric.samples if not sample.name.endswith("_created")]
    for begin in range(0, max(1, len(told)), SLICE):
        part = Metric(metric.name, metric.documentation, metric.type)
        part.samples = told[begin : begin + SLICE]
        text: bytes = generate_latest(cast("CollectorRegistry", _One(part)))
        yield b"".join(line for line in text.splitlines(keepends=True) if not begin or not line.startswith(b"#"))


def _family(family: Family) -> GaugeMetricFamily | CounterMetricFamily:
    kind = CounterMetricFamily if family.grows else GaugeMetricFamily
    return kind(family.name, family.meaning, labels=family.labels)


def _latency(name: str, meaning: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(name, meaning, buckets=MILLISECONDS, registry=registry)
