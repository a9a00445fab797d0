"""`promote`: the daemon does it, by the definition that it has; no file and no parameter of the service is read."""

import os

from tocsin_ocf.exit_codes import OCF_ERR_PERM
from tocsin_ocf.frozen import attend
from tocsin_ocf.launch import operate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tocsin_ocf.invocation import Invocation


def promote(asked: "Invocation") -> "tuple[int, str]":
    """Have the daemon promote the service; where there is none, one is started, which takes the service up again."""
    if os.geteuid() != 0:
        return OCF_ERR_PERM, f"promote of {asked.resource} needs root"
    attend(asked)
    return operate(asked, "PROMOTE")
