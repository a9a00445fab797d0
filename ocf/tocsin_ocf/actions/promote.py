"""`promote`: the daemon does it, by the definition that it has; no file and no parameter of the service is read."""

import os

from tocsin_ocf.client import Mute, Stranger
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC, OCF_ERR_PERM
from tocsin_ocf.frozen import attend
from tocsin_ocf.launch import ask_launching
from tocsin_ocf.operation import body
from tocsin_ocf.port_owner import why_unanswered
from tocsin_ocf.wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation


def promote(asked: "Invocation") -> "tuple[int, str]":
    """Have the daemon promote the service; where there is none, one is started, which takes the service up again."""
    if os.geteuid() != 0:
        return OCF_ERR_PERM, f"promote of {asked.resource} needs root"
    attend(asked)
    return ask_for_role(asked, "PROMOTE")


def ask_for_role(asked: "Invocation", verb: str) -> "tuple[int, str]":
    """Ask the daemon for a role, or one that is started for it."""
    try:
        return ask_launching(asked, verb, lambda: body(asked))
    except PermissionError as error:
        return OCF_ERR_PERM, str(error)
    except (Stranger, Mute) as fault:
        return OCF_ERR_GENERIC, why_unanswered(fault, asked)
    except WireError as error:
        return OCF_ERR_GENERIC, str(error)
