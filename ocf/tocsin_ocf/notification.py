"""
What Pacemaker tells a clone before and after something happens to its instances, as values.

Source: Pacemaker Explained, "Clone notifications". Up to 2.1 the roles are also called master and slave there; both
spellings are read.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.call import Call

FORMER = {"promoted": "master", "unpromoted": "slave"}


class Instance:
    """One instance of a clone: its resource id, and the node where it is or shall be ("" where it is nowhere)."""

    __slots__ = ("node", "resource")

    def __init__(self, resource: str, node: str) -> None:
        """Keep both."""
        self.resource = resource
        self.node = node

    def __eq__(self, other: object) -> bool:
        """Tell whether both are the same."""
        return isinstance(other, Instance) and (self.resource, self.node) == (other.resource, other.node)

    def __hash__(self) -> int:
        """Return the same for the same."""
        return hash((self.resource, self.node))

    def __repr__(self) -> str:
        """Return it for a log."""
        return f"{self.resource} on {self.node}" if self.node else self.resource


class Notification:
    """
    `type` is "pre" or "post", `operation` start, stop, promote or demote.

    The tuples hold an `Instance` each: `starting`, `stopping`, `promoting` and `demoting` are what happens in this
    transition; `active`, `inactive`, `promoted` and `unpromoted` are what was so before it. `nodes` are the names of
    those on which the clone may run.
    """

    def __init__(self, call: "Call") -> None:
        """Read what a call of `notify` is about."""
        self.type = call.meta("notify_type")
        self.operation = call.meta("notify_operation")
        self.starting = instances(call, "start")
        self.stopping = instances(call, "stop")
        self.promoting = instances(call, "promote")
        self.demoting = instances(call, "demote")
        self.active = instances(call, "active")
        self.inactive = instances(call, "inactive")
        self.promoted = instances(call, "promoted")
        self.unpromoted = instances(call, "unpromoted")
        self.nodes = tuple(call.meta("notify_available_uname").split())


def instances(call: "Call", what: str) -> "tuple[Instance, ...]":
    """Return the instances of one list; two variables hold it, of which the second may be shorter or missing."""
    resources, nodes = (_words(call, what, end) for end in ("resource", "uname"))
    return tuple(Instance(one, nodes[at] if at < len(nodes) else "") for at, one in enumerate(resources))


def _words(call: "Call", what: str, end: str) -> "list[str]":
    words = call.meta(f"notify_{what}_{end}").split()
    return words or call.meta(f"notify_{FORMER.get(what, what)}_{end}").split()
