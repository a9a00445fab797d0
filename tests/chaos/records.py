"""What the daemon keeps on disk, as far as the bookkeeper believes it."""

from __future__ import annotations

import json
import time
from pathlib import Path

from tests.chaos.processes import now

RECORDS = Path("/run/tocsin/9909/resources")


def stops_heard(name: str) -> list[float]:
    """Return when the daemon heard that a resource is to stop, by the clock of the books."""
    try:
        journal = json.loads((RECORDS / f"{name}.json").read_text())["journal"]
    except FileNotFoundError:  # the daemon forgot it when it ended
        return []
    ahead = time.time() - now()
    return [at - ahead for at, said in journal if said.startswith("stop asked")]
