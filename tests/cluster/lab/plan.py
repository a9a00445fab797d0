"""What a lab consists of, as values: its members, their names, addresses and files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .faults import LabError

HUB_ADDRESS = "10.77.0.254"
_FIRST_REMOTE = 100

# The only environment of everything in a node. crmsh and pcs write below HOME, and /tmp is the caller's.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/run/lab/home",
    "TMPDIR": "/run/lab/tmp",
    "LANG": "C.UTF-8",
}


CLOCK_LIBRARY = "/usr/lib/tocsin-lab/libfaketimeMT.so.1"
# The dynamic linker of the node loads the library into every program, which then asks CLOCK_FILE what to add.
CLOCK_FILE = "/etc/faketimerc"
# At each call, not every 10 s; and time that is measured goes on as if nothing happened, as on a real machine.
_CLOCK_ENVIRONMENT = {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


@dataclass(frozen=True)
class Directory:
    """One directory and how its package creates it."""

    path: str
    owner: str = "root"
    group: str = "root"
    mode: int = 0o755


# Kept on the node's disk rather than in memory: readable from outside, and there after a power cycle.
DISK = (
    Directory("/etc/corosync"),
    Directory("/etc/pacemaker", group="haclient", mode=0o750),
    Directory("/var/lib/corosync"),
    Directory("/var/lib/pacemaker"),
    Directory("/var/lib/pacemaker/blackbox", "hacluster", "haclient", 0o750),
    Directory("/var/lib/pacemaker/cib", "hacluster", "haclient", 0o750),
    Directory("/var/lib/pacemaker/cores", "hacluster", "haclient", 0o750),
    Directory("/var/lib/pacemaker/pengine", "hacluster", "haclient", 0o750),
    Directory("/var/lib/pcsd", mode=0o700),
    Directory("/var/log/corosync"),
    Directory("/var/log/pacemaker", "hacluster", "haclient", 0o770),
    Directory("/var/log/pcsd"),
    Directory("/var/log/crmsh", "hacluster", "haclient", 0o775),
    Directory("/var/log/tocsin"),
)

# What systemd-tmpfiles would create in /run at boot.
RUN = (
    Directory("/run/crm", "hacluster", "haclient", 0o750),
    Directory("/run/lock", mode=0o1777),
    Directory("/run/resource-agents", mode=0o1755),
    Directory("/run/lab"),
    Directory("/run/lab/home"),
    Directory("/run/lab/tmp", mode=0o1777),
)


def create(directory: Directory, root: Path = Path("/")) -> None:
    """Create one directory below the root as its package would."""
    path = root / directory.path.lstrip("/")
    path.mkdir(parents=True, exist_ok=True)
    shutil.chown(path, directory.owner, directory.group)
    path.chmod(directory.mode)


def _name(number: int) -> str:
    return f"r{number - _FIRST_REMOTE}" if number > _FIRST_REMOTE else f"n{number}"


@dataclass(frozen=True)
class Member:
    """One node of the plan."""

    number: int
    home: Path

    @property
    def is_remote(self) -> bool:
        """Whether it runs pacemaker-remoted instead of corosync and Pacemaker."""
        return self.number > _FIRST_REMOTE

    @property
    def name(self) -> str:
        """The node's host name and its name in the cluster."""
        return _name(self.number)

    @property
    def address(self) -> str:
        """The node's address on the lab's only link."""
        return f"10.77.0.{self.number}"

    @property
    def disk(self) -> Path:
        """What survives in the node, laid out like the node's root."""
        return self.home / "disk"

    @property
    def memory(self) -> Path:
        """Where the node, and only the node, mounts its volatile memory."""
        return self.home / "memory"

    @property
    def boot_log(self) -> Path:
        """What pid 1 and the daemons' standard output say."""
        return self.home / "boot.log"

    @property
    def switch(self) -> Path:
        """The node's own socket of the power switch, which appears in it as /run/lab/switch."""
        return self.home / "switch"

    @property
    def power(self) -> Path:
        """Where the hub writes whether the node is on."""
        return self.home / "power"


@dataclass(frozen=True)
class Plan:
    """One lab, as the process that wants it tells the hub."""

    state: Path
    nodes: int
    overlay: Path | None
    fencing: bool = False
    remotes: int = 0
    clocks: bool = False
    borrowed: Mapping[str, str] = field(default_factory=dict)
    """Files that are not installed, and where the nodes find them."""

    def __post_init__(self) -> None:
        """Refuse numbers that there are no names for."""
        if not (1 <= self.nodes <= _FIRST_REMOTE and 0 <= self.remotes <= _FIRST_REMOTE):
            raise LabError(f"a lab has 1 to {_FIRST_REMOTE} nodes and at most as many remote ones beside")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of everything in a node."""
        return {**ENVIRONMENT, **(_CLOCK_ENVIRONMENT if self.clocks else {})}

    @property
    def hub(self) -> Path:
        """The socket on which the hub takes commands."""
        return self.state / "hub"

    @property
    def label(self) -> Path:
        """Where a lab that was kept has its name."""
        return self.state / "name"

    @property
    def file(self) -> Path:
        """Where a lab that was kept has this plan."""
        return self.state / "plan.json"

    @property
    def hub_log(self) -> Path:
        """What the hub has to complain about."""
        return self.state / "hub.log"

    @property
    def tools(self) -> Path:
        """What the lab adds to every node's /usr, laid out like the node's root."""
        return self.state / "tools"

    @property
    def members(self) -> tuple[Member, ...]:
        """All nodes, n1 first, then the remote ones."""
        numbers = [*range(1, self.nodes + 1), *range(_FIRST_REMOTE + 1, _FIRST_REMOTE + 1 + self.remotes)]
        return tuple(Member(number, self.state / "nodes" / _name(number)) for number in numbers)

    def to_json(self) -> str:
        """Make a string that `from_json` reads."""
        overlay = None if self.overlay is None else str(self.overlay)
        return json.dumps({**vars(self), "state": str(self.state), "overlay": overlay})

    @staticmethod
    def from_json(text: str) -> Plan:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        overlay = values.pop("overlay")
        return Plan(Path(values.pop("state")), overlay=None if overlay is None else Path(overlay), **values)
