"""`start`: hand the daemon everything that it needs; 0 only when the service is up."""

import os

from tocsin_ocf.actions.validate_all import check, service
from tocsin_ocf.client import Mute, Stranger
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM
from tocsin_ocf.frozen import attend
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import ask_launching
from tocsin_ocf.operation import body
from tocsin_ocf.port_owner import why_unanswered
from tocsin_ocf.surroundings import node_name
from tocsin_ocf.wire import WireError


def start(asked: Invocation) -> "tuple[int, str]":
    """Have the daemon start the service; start the daemon where there is none."""
    resource = asked.resource
    check(asked, local=True)
    if os.geteuid() != 0:
        return OCF_ERR_PERM, f"start of {resource} needs root"
    fields = {"node": node_name(asked), **what_to_run(asked)}
    attend(asked)
    try:
        return ask_launching(asked, "START", lambda: body(asked, **fields))
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    except (Stranger, Mute) as fault:
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    except WireError as error:
        return OCF_ERR_GENERIC, str(error)


def what_to_run(asked: Invocation) -> "dict[str, object]":
    """Return what defines the service: the file alone, or the parameters."""
    config = asked.parameter("config")
    return {"config": config} if config else {"definition": service(asked).as_dict()}
