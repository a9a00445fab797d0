"""What the bookkeeper writes down: incarnations, calls of the agent, injections."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.chaos.cast import Scene


@dataclass(eq=False)
class Life:
    """One incarnation as the witnesses saw it; times in seconds, None for not yet."""

    pid: int
    born: float
    killed: float | None = None
    died: float | None = None
    confirmed: bool = False
    stop_asked: float | None = None
    stopped: float | None = None
    told: float | None = None
    excused: str = ""
    in_maintenance: bool = False
    injected: list[float] = field(default_factory=list)

    @property
    def owed(self) -> bool:
        """Tell whether Pacemaker still has to be told of its death."""
        return self.died is not None and not (self.told or self.injected or self.stop_asked or self.excused)


@dataclass(eq=False)
class Action:
    """A call of the agent: when it began, the incarnation that was confirmed to live then, and its role."""

    what: str
    begun: float
    well: Life | None
    scene: Scene


@dataclass(eq=False)
class Injection:
    """A `crm_resource --fail` that was executed: when its process began, and for which incarnation."""

    begun: float
    life: Life | None
