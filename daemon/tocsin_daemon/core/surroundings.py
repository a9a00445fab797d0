"""What `tocsin doctor` makes of this machine: programs, rights, the port, the clock, cgroups, disks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tocsin_daemon.core.diagnosis import Finding, note, problem, well

LEAST_PYTHON = (3, 9)
LEAST_KERNEL = (5, 4)
OTHERS = 0o077
LEAST_FREE = 16 * 1024 * 1024
"""Bytes without which records, or the log, may not be written."""
SLACK = 5.0
"""Seconds that a time may lie in the future without the clock having been set back."""


@dataclass(frozen=True)
class Path:
    """A file or directory: its owner and mode (of stat(2)), None where it is not there."""

    path: str
    owner: int
    mode: int | None


def software(python: tuple[int, ...], kernel: tuple[int, ...], missing: Sequence[str]) -> list[Finding]:
    """Find what the daemon would not run on; `missing` are the libraries that cannot be imported."""
    found = []
    if python[:2] < LEAST_PYTHON:
        found.append(problem("python", f"{_dotted(python)} is older than 3.9", "install a newer Python"))
    if kernel[:2] < LEAST_KERNEL:
        found.append(problem("kernel", f"Linux {_dotted(kernel)} is older than 5.4", "boot a newer kernel"))
    found += [problem("python", f"no library {name}", f"apt install python3-{name}") for name in missing]
    return found or [well("software", f"Python {_dotted(python)}, Linux {_dotted(kernel)}, all libraries")]


def programs(absent: Sequence[str]) -> list[Finding]:
    """Find which programs are not there: the agent, Pacemaker's tools."""
    if not absent:
        return [well("programs", "the agent and Pacemaker's tools are there")]
    ours = "install tocsin on this node, too"
    cures = {path: ours if "/tocsin/" in path else "install Pacemaker's command line tools" for path in absent}
    return [problem("programs", f"there is no {path}", cure) for path, cure in cures.items()]


def rights(port: int, paths: Sequence[Path], user: int = 0) -> list[Finding]:
    """Find who else may read the secrets of a daemon, or write its state; of each path the mode must be private."""
    subject = f"port {port}"
    found = []
    for path in paths:
        if path.mode is None:
            continue
        if path.owner != user:
            found.append(problem(subject, f"{path.path} belongs to user {path.owner}", f"chown -h {user}: {path.path}"))
        elif path.mode & OTHERS:
            mode = f"{path.mode & 0o777:04o}"
            found.append(problem(subject, f"{path.path} is open to others ({mode})", f"chmod go= {path.path}"))
    return found or [well(subject, "its token and its state are for root alone")]


def daemon(port: int, needed: bool, answer: str, installed: str) -> list[Finding]:  # noqa: FBT001
    """Find whether a daemon answers as it should; `answer` is what PING said, or "" for nothing."""
    subject = f"port {port}"
    said = f"tocsind {installed}"
    if answer == said:
        return [well(subject, f"{answer} answers")]
    if answer:
        cure = f"systemctl restart tocsind@{port}, or TERM to the pid in its lock: no service is touched"
        return [problem(subject, f"{answer} runs, but {said} is installed", cure)]
    if needed:
        return [
            problem(
                subject,
                "no tocsind answers, though a resource is not stopped",
                "its next monitor starts one; or its log says why not: tocsin log",
            )
        ]
    return [well(subject, "no tocsind runs, and none is needed")]


def port_taken(port: int, squatter: str) -> list[Finding]:
    """Find that somebody else has a daemon's port."""
    if not squatter:
        return []
    cure = f"end it, or give the resources another one: port=... (ss -ltnp 'sport = :{port}')"
    return [problem(f"port {port}", squatter, cure)]


def clock(now: float, latest: float, synchronised: bool | None) -> list[Finding]:  # noqa: FBT001
    """Find whether the clock can be trusted: the `latest` time on record must not lie in the future."""
    if latest > now + SLACK:
        text = f"the clock was set back: there are records of {latest - now:.0f} s from now"
        return [problem("clock", text, "set it right, and look why; pauses and journals are told by it")]
    if synchronised is False:
        text = "the kernel says that it is not synchronised: times of different nodes cannot be compared"
        return [note("clock", text, "run chrony or systemd-timesyncd")]
    return [well("clock", "synchronised" if synchronised else "no record lies in the future")]


def cgroups(mounts: Sequence[str], writable: bool, without: Sequence[str]) -> list[Finding]:  # noqa: FBT001
    """Find whether services get a cgroup; `without` are those that run in none of their own."""
    if not mounts:
        return [note("cgroup", "no cgroup2 is mounted: a process that hides is not found by a stop", "mount cgroup2")]
    if without:
        text = f"no cgroup of their own: {', '.join(without)}; a process that hides is not found by their stop"
        return [note("cgroup", text, "see the log of their start; a restart of the resource makes one")]
    if not writable:
        return [
            note(
                "cgroup",
                f"{mounts[0]} cannot be written: services run without one",
                "run on the host, not in a container",
            )
        ]
    return [well("cgroup", f"{mounts[0]} can be used")]


def disk(path: str, free: int | None) -> list[Finding]:
    """Find whether there is room for state or log; None where the place is not there."""
    if free is not None and free < LEAST_FREE:
        return [problem("disk", f"{path} has {free // 1024} KiB left: what runs might not be recorded", "make room")]
    return []


def definition(path: str, faults: Sequence[str]) -> list[Finding]:
    """Find what is wrong with a service definition on this node, where it may have to run one day."""
    if not faults:
        return [well("definition", f"{path} is well")]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return [problem("definition", f"{faults[0]}{more}", f"tocsin check {path}; the file is the same on every node")]


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))
