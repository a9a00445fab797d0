"""
What the daemon is told of an operation that may take its time: how long it may, and what Pacemaker says of it.

For the commands of a definition, which know the rest of the cluster from the variables that any OCF agent has.
"""

import json

from tocsin_ocf.call import META

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation

TOLD = ("OCF_RESOURCE_INSTANCE", "OCF_RESKEY_monitor_hold")
"""Variables that the daemon is told beside Pacemaker's own: of which instance, and whether a monitor will wait."""


def body(asked: "Invocation", **fields: object) -> str:
    """Return the body of a request, with the time that is left now, in milliseconds."""
    return json.dumps({"timeout": asked.daemon_timeout(), "environment": environment(asked), **fields})


def environment(asked: "Invocation") -> "dict[str, str]":
    """Return the variables by which Pacemaker says what the operation is, and of which instance."""
    named = (name.decode("utf-8", "surrogateescape") for name in asked.environ)
    return {name: asked.variable(name) for name in named if name.startswith(META) or name in TOLD}
