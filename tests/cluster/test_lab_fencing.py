"""The lab's power switch: what it answers, and that the dead ask for nothing."""

from __future__ import annotations

import time
from itertools import product

import pytest
from lab import Lab, fencing


class Outlet:
    """Power that is only noted."""

    def __init__(self, mode: str, *, is_on: bool) -> None:
        """Begin on or off."""
        self.mode = mode
        self.is_on = is_on
        self.done: list[str] = []

    def off(self) -> None:
        """Note it."""
        self.is_on = False
        self.done.append("off")

    def on_later(self, delay: float) -> None:
        """Note it."""
        self.done.append(f"on after {delay:g}")


ORDERS = {
    ("on", True): [],
    ("on", False): ["on after 0"],
    ("off", True): ["off"],
    ("off", False): [],
    ("reboot", True): ["off", "on after 2"],
    ("reboot", False): ["on after 2"],
}


@pytest.mark.parametrize(("verb", "mode", "is_on"), [*product(("on", "off", "reboot"), fencing.MODES, (True, False))])
def test_every_order_in_every_mode(verb: str, mode: str, is_on: bool) -> None:
    """A broken switch does nothing; one that hangs does not even say so."""
    outlet = Outlet(mode, is_on=is_on)
    answer = fencing.answer(f"{verb} n1\n", {"n1": outlet}, 2)
    assert answer == {"ok": "ok", "fail": "error: the power switch is broken", "hang": None}[mode]
    assert outlet.done == (ORDERS[verb, is_on] if mode == "ok" else [])


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("status n1", "on"),
        ("status n2", "off"),
        ("list", "n1 n2"),
        ("monitor", "n1 n2"),
        ("off n3", "error: no such plug: n3"),
        ("off", "error: no such plug: "),
        ("explode n1", "error: no such action: explode"),
        ("", "error: no such action: "),
    ],
)
def test_questions_and_nonsense(line: str, answer: str) -> None:
    """Answered in every mode."""
    outlets = {"n1": Outlet("hang", is_on=True), "n2": Outlet("fail", is_on=False)}
    assert fencing.answer(line, outlets, 2) == answer
    assert not outlets["n1"].done + outlets["n2"].done


def test_of_two_nodes_that_are_parted_one_survives(cluster_possible: None) -> None:
    """Both may ask; the switch obeys the first, and what the dead one asked for is dropped."""
    with Lab(2, timeout=120, fencing=True) as lab:
        inits = {node.name: node.init for node in lab.nodes}
        lab.partition("n2")
        lab.wait(lambda: lab.fencings("n1") + lab.fencings("n2"), 90, "somebody fenced")
        lab.wait(lambda: all(node.is_running() for node in lab.nodes), 60, "the loser to boot")
        time.sleep(5)
        assert len([node for node in lab.nodes if node.init == inits[node.name]]) == 1
        lab.heal()
        lab.wait_online()
        assert len(lab.fencings("n1") + lab.fencings("n2")) == 1
