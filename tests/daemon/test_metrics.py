"""Metrics: what they say, who may ask where, and what whoever asks can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure as Why

from tests.fakes.world import Outside
from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Failure, Incident, Record
from tocsin_daemon.core.report import Stage
from tocsin_daemon.metrics import endpoint
from tocsin_daemon.metrics.address import Address, BadAddress, parse
from tocsin_daemon.metrics.beat import EVERY, Beat
from tocsin_daemon.metrics.endpoint import FRESH, LONGEST, MOST_CONNECTIONS, Guarded, serve, site
from tocsin_daemon.watch import Row

exposition = pytest.importorskip("tocsin_daemon.metrics.exposition", reason="needs python3-prometheus-client")

WHERE = IPv4Address("TCP", "127.0.0.1", 1)
ROWS = [Row("tcp:1", "failed", 1.0, "refused by hunter2", 0.25, 7, 2)]


class Told:
    """Metrics of a resource that a chronicle follows."""

    def __init__(self, failing: float | None = 2.0) -> None:
        """Know a resource that runs."""
        self.record = Record("web", phase=Phase.RUNNING, since=5.0)
        self.failing = failing
        self.metrics = exposition.Metrics(lambda: [(self.record, ROWS)], lambda _: self.failing)
        self.outside = Outside()
        self.chronicle = Chronicle(self.outside.store, lambda name: Record(name, phase=Phase.RUNNING))
        self.chronicle.followers.append(self.metrics.follow)

    def save(self, record: Record) -> None:
        """Have one more record."""
        self.record = record
        self.chronicle.save(record)

    def samples(self) -> dict[str, float]:
        """Return the page as Prometheus would read it."""
        text = b"".join(self.metrics.pieces()).decode()
        lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        assert len({name for name, _, _ in lines}) == len(lines)
        return {name: float(value) for name, _, value in lines}


def test_what_is_so_now_is_read_when_asked() -> None:
    """Phase, role, checks; no cause, text or pid: what grows without end is no label."""
    told = Told()
    found = told.samples()
    assert found['tocsin_resource_up{resource="web"}'] == 1
    assert found['tocsin_resource_phase{phase="running",resource="web"}'] == 1
    assert found['tocsin_check_state{check="tcp:1",resource="web",state="failed"}'] == 1
    assert found['tocsin_check_looks_total{check="tcp:1",resource="web"}'] == 7
    assert found["process_resident_memory_bytes"] > 0
    assert "hunter2" not in str(found)
    told.record = replace(told.record, phase=Phase.FAILED, incident=Incident("i", "c", stage=Stage.HELD))
    found = told.samples()
    assert found['tocsin_resource_up{resource="web"}'] == 0
    assert found['tocsin_report_pending{resource="web",stage="held"}'] == 1
    assert 'tocsin_resource_phase{phase="running",resource="web"}' not in found


def test_what_happens_is_counted_on_the_edge() -> None:
    """An incident of a check, its report, its recovery; saved a second time they count no more."""
    told = Told()
    incident = Incident("i", "check tcp failed").marked("detected", 10.0)
    failed = replace(
        told.record, phase=Phase.FAILED, incident=incident, incidents=1, failure=Failure(1, "c", lives=True)
    )
    sent = replace(failed, incident=replace(incident.marked("reported", 10.02), stage=Stage.ACKNOWLEDGED)).noted(1, "r")
    assert sent.incident
    well = replace(sent, phase=Phase.RUNNING, incident=sent.incident.marked("recovered", 10.2), restarts=(11.0,))
    for record in (failed, failed, sent, sent, well, well):
        told.save(record)
    found = told.samples()
    assert found['tocsin_incidents_total{cause="check",resource="web"}'] == 1
    assert found['tocsin_reports_total{outcome="acknowledged",resource="web"}'] == 1
    assert found['tocsin_restarts_total{resource="web"}'] == 1
    assert found["tocsin_check_detection_seconds_sum"] == 2.0
    assert found["tocsin_report_seconds_count"] == 1 and found['tocsin_report_seconds_bucket{le="0.025"}'] == 1
    assert found["tocsin_recovery_seconds_sum"] == pytest.approx(0.2)


def test_a_death_has_no_detection_time_of_checks() -> None:
    """It is told by the kernel."""
    told = Told()
    failed = replace(told.record, incident=Incident("i", "main process 7 exited with status 1"), incidents=1)
    told.save(replace(failed, failure=Failure(7, "")))
    assert told.samples()["tocsin_check_detection_seconds_count"] == 0
    assert told.samples()['tocsin_incidents_total{cause="exit",resource="web"}'] == 1


def test_what_a_real_resource_goes_through_is_counted() -> None:
    """From its start to an incident that is acknowledged by the stop."""
    told = Told()
    world = replace(told.outside.world, store=told.chronicle)
    told.outside.world = world
    resource = told.outside.running()
    told.outside.service.on_end(-9)
    resource.stop(5.0)
    found = told.samples()
    assert found['tocsin_incidents_total{cause="signal",resource="web"}'] == 1
    assert found['tocsin_reports_total{outcome="withdrawn",resource="web"}'] == 1


def test_a_follower_that_fails_and_a_disk_that_is_full_change_nothing(critical_events: list[object]) -> None:
    """The others are told all the same."""
    told = Told()
    told.chronicle.followers.insert(0, lambda *_: 1 / 0)  # type: ignore[arg-type, return-value]
    told.outside.store.full = True
    with pytest.raises(OSError, match="No space"):
        told.save(replace(told.record, restarts=(1.0,)))
    assert told.samples()['tocsin_restarts_total{resource="web"}'] == 1
    critical_events.clear()


def test_many_resources_come_in_pieces_with_one_head_each() -> None:
    """No piece has more than a hundred samples, and each metric is told in one place."""
    told = Told()
    told.metrics = exposition.Metrics(
        lambda: [(replace(told.record, resource=f"r{number}"), ROWS) for number in range(250)], lambda _: None
    )
    for number in range(250):
        told.metrics.follow((), told.record, Record(f"r{number}"))
    pieces = list(told.metrics.pieces())
    assert max(piece.count(b"\n") for piece in pieces) <= exposition.SLICE + 2
    heads = re.findall(rb"^# TYPE (\S+)", b"".join(pieces), re.MULTILINE)
    assert len(heads) == len(set(heads)) and len(told.samples()) > 2000


def test_the_beat_tells_how_late_it_is() -> None:
    """In seconds."""
    clock, late = Clock(), list[float]()
    Beat(clock, late.append)
    clock.advance(EVERY)
    clock.advance(EVERY + 0.25)
    assert late == [0.0, 0.25]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9910", Address("127.0.0.1", 9910)),
        ("localhost:9910", Address("127.0.0.1", 9910)),
        ("[::1]:9910", Address("::1", 9910)),
        ("/run/tocsin/metrics", Address(path="/run/tocsin/metrics")),
    ],
)
def test_loopback_and_paths_are_addresses(text: str, address: Address) -> None:
    """And are shown as they may be given."""
    assert parse(text) == address and parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["0.0.0.0:9910", "[::]:1", "192.0.2.1:80", "9910", ":9910", "127.0.0.1:0", "127.0.0.1:99999", "host:1", "x"]
)
def test_nothing_else_is(text: str) -> None:
    """What the network could reach above all."""
    with pytest.raises(BadAddress):
        parse(text)


class Pages:
    """Makes a page of two pieces, and counts."""

    def __init__(self) -> None:
        """None yet."""
        self.made = 0
        self.wrong = False

    def pieces(self) -> Iterator[bytes]:
        """Yield it."""
        self.made += 1
        yield b"a 1\n"
        if self.wrong:
            raise ValueError
        yield b"b 2\n"


class Transport(StringTransport):
    """A connection in memory, which tells the other side of its end."""

    aborted = False

    def abortConnection(self) -> None:
        """End at once."""
        self.aborted = True
        super().abortConnection()


class Served:
    """The endpoint on a clock."""

    def __init__(self) -> None:
        """Nobody is connected."""
        self.clock, self.pages = Clock(), Pages()
        self.factory: Guarded = site(self.clock, self.pages)

    def connect(self, request: bytes = b"") -> tuple[object, Transport]:
        """Connect, and send this."""
        protocol, transport = self.factory.buildProtocol(WHERE), Transport()
        assert protocol
        protocol.makeConnection(transport)
        protocol.dataReceived(request)
        return protocol, transport

    def get(self, path: str = "/metrics", method: str = "GET", more: str = "") -> bytes:
        """Return what is replied."""
        _, transport = self.connect(f"{method} {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode())
        for _ in range(5):
            self.clock.advance(0)
        return bytes(transport.value())


def test_the_page_is_made_in_pieces_and_once_a_second() -> None:
    """Whoever asks meanwhile gets the same one."""
    served = Served()
    reply = served.get()
    assert reply.startswith(b"HTTP/1.1 200 ") and b"version=0.0.4" in reply
    assert b"a 1" in reply and b"b 2" in reply
    served.get()
    assert served.pages.made == 1
    served.clock.advance(FRESH)
    served.get()
    assert served.pages.made == 2


def test_nothing_else_is_served() -> None:
    """Neither other paths nor other methods."""
    served = Served()
    assert b" 404 " in served.get("/") and b" 404 " in served.get("/metrics/x")
    assert b" 405 " in served.get(method="POST", more="Content-Length: 0\r\n")
    assert served.pages.made == 0


def test_a_page_that_cannot_be_made_is_told_and_the_next_one_is_tried(critical_events: list[object]) -> None:
    """500, and then 200."""
    served = Served()
    served.pages.wrong = True
    assert b" 500 " in served.get()
    critical_events.clear()
    served.pages.wrong = False
    assert b" 200 " in served.get()


def test_a_body_is_not_kept() -> None:
    """However long it says that it is, or that it has no end."""
    served = Served()
    for more in ("Content-Length: 100000000\r\n", "Transfer-Encoding: chunked\r\n"):
        head = f"POST /metrics HTTP/1.1\r\nHost: x\r\n{more}\r\n"
        protocol, _ = served.connect(head.encode())
        chunk = b"x" * 65536 if "Length" in more else b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(4):
            protocol.dataReceived(chunk)  # type: ignore[attr-defined]
        request = protocol.wrappedProtocol._channel.requests[0]  # type: ignore[attr-defined]
        assert request.content.read() == b""


def test_the_oldest_connection_makes_room_and_none_lasts() -> None:
    """Eight that say nothing do not keep the ninth out."""
    served = Served()
    connections = [served.connect()[1] for _ in range(MOST_CONNECTIONS + 2)]
    assert [transport.aborted for transport in connections] == [True] * 2 + [False] * MOST_CONNECTIONS
    served.clock.advance(LONGEST)
    assert all(transport.aborted for transport in connections)


def test_a_scraper_that_goes_while_the_page_is_made_is_forgotten() -> None:
    """And the page is made for the others."""
    served = Served()
    protocol, _ = served.connect(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    protocol.connectionLost(Why(ConnectionLost()))  # type: ignore[attr-defined]
    assert b"b 2" in served.get()
    assert len(served.factory._ends) == 1


def test_an_address_that_is_taken_is_tried_again() -> None:
    """No service wants for its daemon because of that."""

    class Reactor(Clock):
        tries = 0

        def listenTCP(self, port: int, factory: object, interface: str) -> None:
            self.tries += 1
            if self.tries < 3:
                raise CannotListenError(interface, port, OSError("taken"))

    reactor = Reactor()
    serve(reactor, Address("127.0.0.1", 9910), Served().factory)
    for _ in range(3):
        reactor.advance(endpoint.AGAIN)
    assert reactor.tries == 3 and reactor.getDelayedCalls() == []
