"""./dev lab: a private cluster of several real nodes to play with; it stays until `./dev lab down`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NoReturn

from . import kept
from .cluster import Lab
from .faults import LabError
from .fencing import MODES
from .kept import KeptLab
from .plan import ENVIRONMENT

NAMES = ("kill", "boot", "freeze", "thaw")
"""Commands that are a method of each node they name."""
TIMEOUT = 180.0


def main() -> int:
    """Do what the command line says, and return the exit status."""
    options = parser().parse_args()
    missing = Lab.missing()
    if missing:
        print(f"./dev lab: no lab can run here: {'; '.join(missing)}", file=sys.stderr)
        return 1
    try:
        return int(options.run(options) or 0)
    except (LabError, TimeoutError, OSError) as fault:
        print(f"./dev lab: {fault}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default="lab", help="which lab (default: %(default)s)")
    top = argparse.ArgumentParser(prog="./dev lab", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=text, description=text, parents=[common])
        found.set_defaults(run=globals()[name.replace("-", "_")] if name not in NAMES else each, what=name)
        return found

    start = command("up", "bring nodes n1, n2 ... up, and leave them running")
    start.add_argument("nodes", type=int, nargs="?", default=3)
    start.add_argument("--remotes", type=int, default=0, help="Pacemaker Remote nodes r1, r2 ... beside")
    switch(start, "fencing", "nodes are fenced (default)")
    switch(start, "tocsin", "the nodes have this working tree installed (default)")
    command("exec", "run a command in a node: exec NODE -- COMMAND").add_argument("words", nargs=argparse.REMAINDER)
    for name, text in {
        "kill": "cut the power of nodes",
        "boot": "give nodes power again",
        "freeze": "have nodes hang",
        "thaw": "let hanging nodes go on",
        "partition": "put nodes on the other side of the network",
    }.items():
        command(name, text).add_argument("nodes", nargs="+", metavar="NODE")
    command("heal", "let all nodes hear each other again")
    mode = command("fence-mode", "have the power switch obey, refuse or ignore orders for a node")
    mode.add_argument("node")
    mode.add_argument("mode", choices=MODES)
    command("status", "what is on, and what the cluster says")
    command("logs", "the end of a node's pacemaker.log, and where the rest is").add_argument("node")
    command("down", "end the lab; nothing is left of it")
    return top


def switch(start: argparse.ArgumentParser, name: str, text: str) -> None:
    """Add --NAME and --no-NAME, on by default."""
    start.add_argument(f"--{name}", action="store_true", default=True, help=text)
    start.add_argument(f"--no-{name}", action="store_false", dest=name)


def up(options: argparse.Namespace) -> None:
    """Bring a lab up, and leave it running."""
    if options.name in kept.everyone():
        raise LabError(f"the lab {options.name!r} is up already: ./dev lab down --name {options.name}")
    begin = time.monotonic()
    lab = Lab(
        options.nodes,
        _install if options.tocsin else None,
        TIMEOUT,
        fencing=options.fencing,
        remotes=options.remotes,
    ).up()
    lab.keep(options.name)
    print(f"up after {time.monotonic() - begin:.1f} s. Try: ./dev lab exec n1 -- pcs status; ./dev lab kill n2")
    print("It stays until: ./dev lab down" + (f" --name {options.name}" if options.name != "lab" else ""))


def _install(root: Path) -> None:
    import install

    install.install(root)


def exec(options: argparse.Namespace) -> NoReturn:  # noqa: A001 - the name of the command
    """Become a command in a node: stdin, exit status and terminal are the caller's."""
    words = [word for number, word in enumerate(options.words) if word != "--" or number > 1]
    if len(words) < 2:
        raise LabError("what? exec NODE -- COMMAND")
    argv = [*kept.find(options.name).node(words[0]).entry(), *words[1:]]
    os.chdir("/")
    terminal = {"TERM": os.environ["TERM"]} if "TERM" in os.environ else {}
    os.execvpe(argv[0], argv, {**ENVIRONMENT, **terminal})  # noqa: S606 - no shell is wanted


def each(options: argparse.Namespace) -> None:
    """Do something to each node."""
    lab = kept.find(options.name)
    for node in [lab.node(name) for name in options.nodes]:
        getattr(node, options.what)()


def partition(options: argparse.Namespace) -> None:
    """Divide the network."""
    kept.find(options.name).partition(*options.nodes)


def heal(options: argparse.Namespace) -> None:
    """Undo a partition."""
    kept.find(options.name).heal()


def fence_mode(options: argparse.Namespace) -> None:
    """Break or mend the power switch for a node."""
    kept.find(options.name).fence_mode(options.node, options.mode)


def status(options: argparse.Namespace) -> None:
    """Print the state of each node, and what the first one that can be asked says of the cluster."""
    lab = kept.find(options.name)
    every = [*lab.nodes, *lab.remotes]
    for node in every:
        state = "frozen" if node.is_frozen() else "on" if node.is_running() else "off"
        print(f"{node.name}  {node.address:<12}  {state}")
    print(_cluster_says(lab))


def _cluster_says(lab: KeptLab) -> str:
    for node in lab.nodes:
        if node.is_running() and not node.is_frozen():
            return node.run(["crm_mon", "-1Afr"], check=False).stdout.strip()
    return "no node can be asked"


def logs(options: argparse.Namespace) -> None:
    """Print the end of a node's log, also if it is off."""
    node = kept.find(options.name).node(options.node)
    print("\n".join(node.pacemaker_log.read_text("utf-8", "replace").splitlines()[-40:]))
    print(f"all logs: {node.log_directory}, {node.boot_log}", file=sys.stderr)


def down(options: argparse.Namespace) -> None:
    """End a lab."""
    kept.find(options.name).down()


if __name__ == "__main__":
    sys.exit(main())
