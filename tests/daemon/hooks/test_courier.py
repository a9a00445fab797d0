"""The way to one hook: order, patience, and an end to both."""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from tocsin_daemon.hooks.courier import MOST_WAITING, SOON, TRIES, Courier, pause


class Way:
    """Stands for the way to a hook: each try waits for the test, or is answered at once."""

    def __init__(self, answer: str | None = None) -> None:
        """Answer so, or wait."""
        self.answer = answer
        self.asked: list[tuple[bytes, Deferred[str]]] = []
        self.cancelled = 0
        self.broken = False

    def __call__(self, event: bytes) -> Deferred[str]:
        """Take a try."""
        if self.broken:
            raise NotImplementedError
        self.asked.append((event, Deferred(self._cancel) if self.answer is None else succeed(self.answer)))
        return self.asked[-1][1]

    def _cancel(self, _: object) -> None:
        self.cancelled += 1

    @property
    def events(self) -> list[bytes]:
        """Return what was tried."""
        return [event for event, _ in self.asked]


class Queue:
    """A courier on a clock."""

    def __init__(self, answer: str | None = None) -> None:
        """With nothing in it."""
        self.clock, self.way, self.counted = Clock(), Way(answer), list[str]()
        self.courier = Courier("page", self.clock, self.way, self.counted.append)

    def take(self, *events: bytes) -> None:
        """Give it these, and let it begin."""
        for event in events:
            self.courier.take(event)
        self.clock.advance(SOON)


def test_nothing_is_delivered_at_once() -> None:
    """The report of the same failure goes first: a fork takes time."""
    queue = Queue("")
    queue.courier.take(b"one")
    assert queue.way.events == []
    queue.clock.advance(SOON)
    assert queue.way.events == [b"one"] and queue.counted == ["delivered"]


def test_events_come_in_order_one_at_a_time() -> None:
    """The second one waits for the first."""
    queue = Queue()
    queue.take(b"one", b"two")
    assert queue.way.events == [b"one"]
    queue.way.asked[0][1].callback("")
    queue.clock.advance(0)
    assert queue.way.events == [b"one", b"two"]


def test_what_is_not_taken_is_tried_again_with_longer_pauses_and_then_lost() -> None:
    """And the next one has its turn."""
    queue = Queue("exit status 1")
    queue.take(b"one", b"two")
    for tries in range(1, TRIES - 1):
        queue.clock.advance(pause(tries) / 2)
        assert queue.way.events == [b"one"] * tries
        queue.clock.advance(pause(tries) / 2)
    assert queue.counted == ["retried"] * (TRIES - 1)
    queue.clock.advance(pause(TRIES - 1) / 2)
    queue.clock.callLater(pause(TRIES - 1) / 2, setattr, queue.way, "answer", "")
    queue.clock.advance(pause(TRIES - 1) / 2)
    assert queue.counted == ["retried"] * (TRIES - 1) + ["lost", "delivered"]
    assert queue.way.events == [b"one"] * TRIES + [b"two"]
    assert queue.clock.getDelayedCalls() == []


def test_pauses_double() -> None:
    """1, 2, 4 and 8 s between five tries."""
    assert [pause(tries) for tries in range(1, TRIES)] == [1.0, 2.0, 4.0, 8.0]


def test_the_oldest_are_lost_of_too_many_but_not_the_one_on_its_way() -> None:
    """The queue is bounded, and each loss counted."""
    queue = Queue()
    queue.take(b"on its way")
    for number in range(MOST_WAITING + 4):
        queue.courier.take(b"%d" % number)
    assert len(queue.courier.waiting) == MOST_WAITING and queue.counted == ["lost"] * 5
    assert list(queue.courier.waiting)[:2] == [b"on its way", b"5"]


def test_a_way_that_breaks_is_a_try_that_failed() -> None:
    """Whatever it raises, then or at once, such as https without its library."""
    queue = Queue()
    queue.take(b"one")
    queue.way.asked[0][1].errback(OSError("no such host"))
    assert queue.counted == ["retried"]
    queue.way.broken = True
    queue.clock.advance(pause(1))
    assert queue.counted == ["retried", "retried"]
    queue.way.broken = False
    queue.clock.advance(pause(2))
    assert queue.way.events == [b"one", b"one"]


def test_an_ended_courier_cancels_what_is_under_way_and_delivers_no_more() -> None:
    """Its hook is not in the file any more."""
    queue = Queue()
    queue.take(b"one", b"two")
    queue.courier.end()
    assert queue.way.cancelled == 1 and queue.clock.getDelayedCalls() == [] and queue.counted == []
