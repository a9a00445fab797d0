"""Labs that outlive the process that made them, by name."""

from __future__ import annotations

import contextlib
import os
import socket
import time

from .cluster import Lab
from .faults import LabError
from .plan import Plan
from .state import BASE, PREFIX

_PATIENCE = 15.0


class KeptLab(Lab):
    """A lab that somebody else brought up."""

    def __init__(self, plan: Plan) -> None:
        """Take hold of it; it goes on when this process ends."""
        super().__init__(plan.nodes, fencing=plan.fencing, remotes=plan.remotes)
        self._follow(plan)

    def up(self) -> Lab:
        """Return it: it is up."""
        return self

    def down(self) -> None:
        """End the lab, and return when nothing of it is left."""
        if self._plan is None:
            return
        self._order(do="down")
        deadline = time.monotonic() + _PATIENCE
        while self._plan.state.exists():
            if time.monotonic() > deadline:
                raise LabError(f"{self._plan.state} is still there after {_PATIENCE:g} s")
            time.sleep(0.02)
        self._plan, self.state = None, None
        self.nodes, self.remotes = [], []

    def _hub_runs(self) -> bool:
        return self._plan is not None and _answers(self._plan)


def everyone() -> dict[str, Plan]:
    """Return the plans of all kept labs that run, by name."""
    found: dict[str, Plan] = {}
    for label in sorted(BASE.glob(f"{PREFIX}*/name")):
        with contextlib.suppress(OSError, ValueError):
            if label.parent.stat().st_uid == os.geteuid():  # /tmp is everybody's
                plan = Plan.from_json((label.parent / "plan.json").read_text())
                if _answers(plan):
                    found[label.read_text()] = plan
    return found


def find(name: str) -> KeptLab:
    """Return the lab of that name; LabError says which there are."""
    labs = everyone()
    if name not in labs:
        raise LabError(f"no lab {name!r} is up; there are: {', '.join(labs) or 'none'}")
    return KeptLab(labs[name])


def _answers(plan: Plan) -> bool:
    with socket.socket(socket.AF_UNIX) as wire, contextlib.suppress(OSError):
        wire.connect(str(plan.hub))
        return True
    return False
