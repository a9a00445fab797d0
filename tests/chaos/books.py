"""
The bookkeeper of one resource: what lived, what died, what was asked, who was told; and whether that adds up.

It knows nothing of Tocsin. It is fed by witnesses (the service announces its own birth, the kernel its death,
the stand-in of `crm_resource` each injection, the caller of the agent each action and its exit status), and it
judges by what Pacemaker and an administrator may expect.
"""

from __future__ import annotations

from collections import Counter

from tests.chaos.cast import CODES, Cast
from tests.chaos.entries import Action, Injection, Life

VIOLATIONS = (
    "lost",
    "duplicate",
    "stale",
    "late",
    "restarted",
    "touched",
    "leftover",
    "false alarm",
    "maintenance",
    "lie",
)
"""
Lost: nobody was told of a death. Duplicate: told twice of one incarnation. Stale: injected for one that lives, was
stopped or replaced. Late: its injection was begun when the daemon had heard that it is to stop. Restarted: born
without a start, or beside another one. Touched: ended by nobody's order.
Leftover: there after stop returned 0. False alarm: a failure of what was well. Maintenance: injected in spite of it.
Lie: an exit status that the witnesses contradict.
"""

RUNNING = tuple(CODES)
"""Exit statuses of a monitor that mean: it runs; 190, 191: something, as a frozen daemon, is not as it should be."""
SLACK = 0.03
"""Seconds by which the kernel's time of a process's begin, in ticks, and our own notice of an exit may differ."""


class Book:
    """One resource; every method takes the time first."""

    def __init__(self, resource: str) -> None:
        """Begin empty."""
        self.resource = resource
        self.lives: list[Life] = []
        self.violations: list[tuple[str, str]] = []
        self.count: Counter[str] = Counter()
        self.maintenance = False
        self.delays: list[float] = []
        self.cast = Cast()
        self._may_be_born = False
        self._start_ended = 0.0
        self._after_stop: list[Injection] = []
        self._injections: dict[str, Injection] = {}

    @property
    def latest(self) -> Life | None:
        """The incarnation that was born last."""
        return self.lives[-1] if self.lives else None

    @property
    def living(self) -> Life | None:
        """The incarnation that lives."""
        return self.latest if self.latest and self.latest.died is None else None

    def violate(self, kind: str, text: str) -> None:
        """Note that an expectation was broken."""
        self.violations.append((kind, f"{self.resource}: {kind}: {text}"))
        self.count[kind] += 1

    # What the service and the kernel say

    def born(self, now: float, pid: int, others: list[int], begun: float | None = None) -> None:
        """
        Note a birth; `others` are processes of earlier incarnations that are still there.

        On a busy machine a service may speak its first word long after it `begun`, when its start is over.
        """
        if not self._may_be_born and (begun is None or begun > self._start_ended):
            self.violate("restarted", f"pid {pid} was born although no start was asked")
        if self.living or others:
            self.violate("restarted", f"pid {pid} was born beside {self.living or ''} {others}")
        if self.latest and self.latest.owed:
            self.latest.excused = "a start was under way"
        self.lives.append(Life(pid, now))
        self.count["births"] += 1

    def aimed(self, now: float) -> None:
        """Note that chaos is about to end the incarnation that lives."""
        if self.living:
            self.living.killed = self.living.killed or now

    def died(self, now: float, pid: int) -> None:
        """Note a death."""
        life = next((one for one in reversed(self.lives) if one.pid == pid and one.died is None), None)
        if life is None:
            return
        life.died, life.in_maintenance = now, self.maintenance
        self.count["deaths"] += bool(life.killed)
        if life.killed or life.stop_asked is not None:
            return
        if life.confirmed or not self._may_be_born:
            self.violate("touched", f"pid {pid} was ended, and nobody asked for it")
        life.excused = "ended by a start that began anew"

    # What Pacemaker asks

    def begin(self, now: float, what: str, *, by_hand: bool = False) -> Action:
        """Note that the agent is called; what is returned is for `end`."""
        life = self.latest
        if what == "stop" and life:
            life.stop_asked = life.stop_asked or now
        if what == "start":
            self._may_be_born = True
        if what == "start" and by_hand and life and life.owed:
            life.excused = "an administrator started it by hand"
        well = self.living if self.living and self.living.confirmed else None
        return Action(what, now, well, self.cast.begin(what))

    def end(self, now: float, action: Action, code: int | None, left: list[str]) -> None:
        """Note the exit status of the agent (None: killed before it had one), and what of the service is there."""
        self.count[f"{action.what} cut off" if code is None else action.what] += 1
        lie = self.cast.end(action.what, code, action.scene)
        if lie:
            self.violate("lie", lie)
        if code is None or (action.what == "demote" and code == 0):  # what has died is not promoted any more
            return
        if action.what == "start":
            self._started(now, code, action)
        elif action.what == "stop":
            self._stopped(now, code, left)
        elif code in RUNNING:
            self.count["degraded"] += code in (190, 191)
            self._said_well(action)
        else:
            self._said_failed(now, code, action)

    def _started(self, now: float, code: int, action: Action) -> None:
        life, self._may_be_born, self._start_ended = self.latest, False, now
        killed = life is not None and life.died is not None and life.killed is not None
        if life is not None and code == 0 and (killed or life.died is None):
            life.confirmed = True
        elif code == 0:
            self.violate("lie", "start returned 0, and nothing runs")
        elif life is not None and killed and life.born > action.begun:
            self._tell(life, now, "start")
        else:
            self.violate("false alarm", f"start returned {code}, and nothing is wrong with {life}")

    def _stopped(self, now: float, code: int, left: list[str]) -> None:
        self._may_be_born, self._start_ended = False, 0.0
        self._after_stop.clear()
        if code != 0:
            self.violate("false alarm", f"stop returned {code}, which fences the node; left: {left}")
            return
        if left or self.living:
            self.violate("leftover", f"stop returned 0, and there are {left} {self.living or ''}")
        for life in self.lives[-3:]:
            life.stopped = life.stopped or now

    def _said_well(self, action: Action) -> None:
        known = [life for life in self.lives[-3:] if life.died is None or life.died >= action.begun]
        last = self.latest
        if not known and (last is None or last.told or last.stopped):
            self.violate("lie", f"{action.what} returned 0, and nothing runs but {last}")
        self.count["well although dead"] += not known
        if self.living and known == [self.living]:
            self.living.confirmed = True

    def _said_failed(self, now: float, code: int, action: Action) -> None:
        life = self.latest
        if life and life is action.well and life.died is None and not life.stop_asked:
            self.violate("false alarm", f"{action.what} returned {code}, and {life} lives")
        elif life and life.died is not None and action.what != "probe":
            self._tell(life, now, action.what)

    def _tell(self, life: Life, now: float, channel: str) -> None:
        if life.told is None and not life.injected and not life.stop_asked:
            life.told = now
            self.count[f"by {channel}"] += 1
            self.delays.append(now - (life.died or now))

    # What `crm_resource --fail` does

    def injection(self, begun: float, call: str) -> None:
        """Note that `crm_resource --fail` was executed by a process that began at `begun`."""
        injection = self._injections[call] = Injection(begun, self.latest)
        if self.latest and self.latest.stop_asked and begun > self.latest.stop_asked:
            self._after_stop.append(injection)
        if self.living or self.latest is None:
            self.violate("stale", f"crm_resource --fail was executed, and {self.latest} lives")

    def injected(self, now: float, call: str) -> None:
        """Note that an injection took effect."""
        injection, life = self._injections.pop(call), self.latest
        if life is None or life is not injection.life or life.died is None:
            self.violate("stale", f"meant for {injection.life}, injected now that there is {life}")
        elif life.stopped:
            self.violate("stale", f"{life} had been stopped")
        elif life.injected:
            self.violate("duplicate", f"{life} was injected already")
        elif life.told and life.told < injection.begun - SLACK:
            self.violate("duplicate", f"an action had told of {life}, {injection}")
        else:
            self._count_injection(now, life)

    def _count_injection(self, now: float, life: Life) -> None:
        if self.maintenance and life.in_maintenance:
            self.violate("maintenance", f"{life} was injected")
        self.count["crossed" if life.told or life.stop_asked else "by injection"] += 1
        if not life.told:
            self.delays.append(now - (life.died or now))
        life.injected.append(now)

    def heard_stop(self, at: float) -> None:
        """
        Note when the daemon heard of the stop that is about to end: nothing may have been injected since.

        Between Pacemaker's call of the agent and that moment, in which an interpreter is loaded, the daemon cannot
        know. A service that dies just then is reported by the book, and Pacemaker counts the failure and goes on
        with its stop: such injections are `crossed`. They were all of the late ones that were ever seen.
        """
        for injection in self._after_stop:
            if injection.begun > at:
                self.violate("late", f"{injection} was begun after the stop was heard at {at}")
        self._after_stop.clear()

    def maintain(self, on: bool) -> None:
        """Note whether Pacemaker's hands are tied: what dies meanwhile may not be injected."""
        if on is self.maintenance:
            return
        self.maintenance = on
        for life in self.lives[-3:]:
            life.in_maintenance = False

    # At the end

    @property
    def owed(self) -> list[Life]:
        """The dead of whom Pacemaker has not been told."""
        return [life for life in self.lives[-3:] if life.owed]

    def close(self) -> None:
        """Note as lost what is owed now that the bound is over."""
        for life in self.owed:
            self.violate("lost", f"nobody was told of {life}")
            life.excused = "lost"
