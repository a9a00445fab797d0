"""What the stand-in for Pacemaker shows: to an agent its environment, to crm_mon the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from tests.chaos.tools import BIN, HOME, SERVICE

if TYPE_CHECKING:
    from tests.chaos.pacemaker import Resource

NODE = "n1"
INTERVAL = 60000
TIMEOUT = 20000
LINGER = 2


def environment(resource: Resource, interval: int) -> dict[str, str]:
    """Return the environment of an action; `interval` 0 is a probe's, or another action's."""
    stop_timeout = {"stop_timeout": "300ms"} if resource.kind == "stubborn" else {}
    parameters = {
        "command": f"{SERVICE} {resource.name} {resource.kind}",
        "directory": str(HOME / resource.name),
        "promote_command": f"{BIN}/role {resource.name} promote",
        "demote_command": f"{BIN}/role {resource.name} demote",
        "daemon_args": f"--linger {LINGER} --pacemaker-bin {BIN}",
        "CRM_meta_timeout": str(TIMEOUT),
        "CRM_meta_on_node": NODE,
        **({"CRM_meta_interval": str(interval)} if interval else {}),
        **stop_timeout,
    }
    basics = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "OCF_ROOT": "/usr/lib/ocf"}
    return {**basics, "OCF_RESOURCE_INSTANCE": resource.name, **{f"OCF_RESKEY_{k}": v for k, v in parameters.items()}}


def xml(resource: Resource) -> tuple[str, str, str]:
    """Return what crm_mon shows of it: resource, history, failure."""
    name, managed = quoteattr(resource.name), str(resource.managed and not resource.maintenance).lower()
    maintenance = str(bool(resource.maintenance)).lower()
    shown = f'<resource id={name} managed="{managed}" maintenance="{maintenance}" active="x">'
    shown += f'<node name="{NODE}"/></resource>' if resource.started else "</resource>"
    operations = "".join(
        f'<operation_history call="{call}" task="{task}" interval="{INTERVAL if task == "monitor" else 0}ms"/>'
        for task, call in resource.history.items()
    )
    history = f"<resource_history id={name}>{operations}</resource_history>"
    key = quoteattr(f"{resource.name}_asyncmon_0")
    failure = f'<failure op_key={key} node="{NODE}" call="{resource.injection}"/>' if resource.injection else ""
    return shown, history, failure
