"""Which role a resource has, as far as the answers of its actions say; and whether a monitor says the same."""

from __future__ import annotations

from dataclasses import dataclass

CODES = {0: "unpromoted", 190: "unpromoted", 8: "promoted", 191: "promoted"}
"""Exit statuses of a monitor of what runs."""
LEADS_TO = {"start": "unpromoted", "stop": "", "promote": "promoted", "demote": "unpromoted"}


@dataclass(frozen=True)
class Scene:
    """The role at one moment, None where nobody can tell, and how many actions had changed it."""

    role: str | None
    changes: int


class Cast:
    """The role of one resource."""

    def __init__(self) -> None:
        """Begin stopped."""
        self._role: str | None = ""
        self._changes = 0
        self._under_way = 0

    @property
    def scene(self) -> Scene:
        """Return the present."""
        return Scene(None if self._under_way else self._role, self._changes)

    def begin(self, what: str) -> Scene:
        """Note that an action begins; return the scene that it finds."""
        found = self.scene
        self._under_way += what in LEADS_TO
        return found

    def end(self, what: str, code: int | None, found: Scene) -> str:
        """Note that an action ends; return how a monitor contradicts the role, "" where it does not."""
        if what in LEADS_TO:
            self._under_way -= 1
            self._changes += 1
            self._role = LEADS_TO[what] if code == 0 else None
            return ""
        said = CODES.get(code if code is not None else -1)
        if said is None or not found.role or self.scene != found or said == found.role:
            return ""
        return f"{what} returned {code}, and it is {found.role}"
