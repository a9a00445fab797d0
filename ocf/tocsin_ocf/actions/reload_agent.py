"""
`reload-agent`: apply changed parameters, or a changed file, to a service that runs.

A faulty definition is no failure of the service: Pacemaker would restart it for a slip of the pen. The daemon keeps
the old definition, and the exit reason, the log and `tocsin status` say why.
"""

import json
import os

from tocsin_ocf.actions.start import what_to_run
from tocsin_ocf.actions.validate_all import parameter_faults
from tocsin_ocf.client import Mute, NoDaemon, Stranger, ask
from tocsin_ocf.exit_codes import OCF_ERR_PERM
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.wire import WireError


def reload_agent(asked: Invocation) -> "tuple[int, str]":
    """Have the daemon compare and apply; 0 with a reason where something is not applied."""
    if os.geteuid() != 0:
        return OCF_ERR_PERM, f"reload-agent of {asked.resource} needs root"
    faults = parameter_faults(asked)
    if faults:
        return 0, f"the old definition stays: {faults[0]}"
    body = json.dumps(what_to_run(asked))
    try:
        return ask(asked.rundir, asked.port, "RELOAD", asked.resource, body, asked.remaining())
    except (NoDaemon, Stranger, Mute, PermissionError) as fault:
        return 0, f"not applied yet, tocsind does not answer: {fault}"
    except WireError as error:
        return 0, f"the old definition stays: {error}"
