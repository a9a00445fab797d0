"""`start`: hand the daemon everything that it needs; 0 only when the service is up."""

import os

from tocsin_ocf.actions.validate_all import check, service
from tocsin_ocf.exit_codes import OCF_ERR_PERM
from tocsin_ocf.frozen import attend
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.launch import operate
from tocsin_ocf.surroundings import node_name


def start(asked: Invocation) -> "tuple[int, str]":
    """Have the daemon start the service; start the daemon where there is none."""
    resource = asked.resource
    check(asked, local=True)
    if os.geteuid() != 0:
        return OCF_ERR_PERM, f"start of {resource} needs root"
    fields = {"node": node_name(asked), **what_to_run(asked)}
    attend(asked)
    return operate(asked, "START", **fields)


def what_to_run(asked: Invocation) -> "dict[str, object]":
    """Return what defines the service: the file alone, or the parameters."""
    config = asked.parameter("config")
    return {"config": config} if config else {"definition": service(asked).as_dict()}
