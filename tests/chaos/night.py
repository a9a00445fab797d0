"""A night of one resource, told step by step to the bookkeeper."""

from __future__ import annotations

from tests.chaos.books import Action, Book


class Night:
    """A resource that was started as pid 7 at second 1, and what happens to it, a second each."""

    def __init__(self) -> None:
        """Begin with a start that went well."""
        self.book, self.now = Book("web"), 0.0
        start = self.begin("start")
        self.book.born(self.tick(), 7, [])
        self.end(start, 0)

    def tick(self) -> float:
        """Return the next second."""
        self.now += 1
        return self.now

    def begin(self, what: str) -> Action:
        """Call the agent."""
        return self.book.begin(self.tick(), what)

    def end(self, action: Action, code: int | None, *left: str) -> None:
        """Let the agent end."""
        self.book.end(self.tick(), action, code, list(left))

    def do(self, what: str, code: int | None, *left: str) -> None:
        """Call the agent, and let it end."""
        self.end(self.begin(what), code, *left)

    def kill(self, pid: int = 7) -> None:
        """Let chaos kill the service."""
        self.book.aimed(self.tick())
        self.book.died(self.tick(), pid)

    def inject(self, call: str = "1") -> None:
        """Let `crm_resource --fail` run."""
        self.book.injection(self.tick(), call)
        self.book.injected(self.tick(), call)

    def stop(self) -> None:
        """Stop it while it lives."""
        stop = self.begin("stop")
        self.book.died(self.tick(), 7)
        self.end(stop, 0)

    def restart(self, pid: int) -> None:
        """Recover."""
        self.do("stop", 0)
        start = self.begin("start")
        self.book.born(self.tick(), pid, [])
        self.end(start, 0)

    def found(self) -> list[str]:
        """Return the kinds of violations, the owed dead as lost."""
        self.book.close()
        return [kind for kind, _ in self.book.violations]
