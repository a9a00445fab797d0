#!/usr/bin/python3 -IS
"""Fence agent of the lab: asks the hub, which is this node's power switch, through a socket that needs no network."""

import os
import socket
import sys

SWITCH = "/run/lab/switch"
PATIENCE = 300.0
METADATA = """<?xml version="1.0" ?>
<resource-agent name="fence_lab" shortdesc="Power switch of the lab">
<longdesc>Cuts the power of a node of the lab, which the node cannot survive, and gives it back.</longdesc>
<vendor-url>https://github.com/ClusterLabs/fence-agents</vendor-url>
<parameters>
<parameter name="action" unique="0" required="1">
<getopt mixed="-o, --action=[action]"/>
<content type="string" default="reboot"/>
<shortdesc lang="en">Fencing action</shortdesc>
</parameter>
<parameter name="plug" unique="0" required="0">
<getopt mixed="-n, --plug=[name]"/>
<content type="string"/>
<shortdesc lang="en">Name of the node</shortdesc>
</parameter>
</parameters>
<actions>
<action name="on" automatic="0"/>
<action name="off"/>
<action name="reboot"/>
<action name="status"/>
<action name="list"/>
<action name="monitor"/>
<action name="metadata"/>
</actions>
</resource-agent>
"""


def options() -> dict[str, str]:
    """Read the options, from the command line or, as the cluster gives them, from stdin."""
    words = sys.argv[1:]
    if not words:
        lines = [line.strip().partition("=") for line in sys.stdin if not line.startswith("#")]
        return {name: value for name, _, value in lines}
    found: dict[str, str] = {}
    names = {"-o": "action", "--action": "action", "-n": "plug", "--plug": "plug"}
    while words:
        name, _, value = words.pop(0).partition("=")
        if name in names:
            found[names[name]] = value or (words.pop(0) if words else "")
    return found


def ask(request: str) -> str:
    """Return the switch's answer; it is empty when this node is cut off from it."""
    with socket.socket(socket.AF_UNIX) as wire:
        wire.settimeout(PATIENCE)
        wire.connect(SWITCH)
        wire.sendall(request.encode() + b"\n")
        return wire.makefile().readline().strip()


def main() -> int:
    """Do what the options say, and return the exit status: 0, 1, or 2 for the status of a node that is off."""
    given = options()
    action = given.get("action", "reboot")
    plug = given.get("plug") or given.get("nodename", "")
    if action in ("metadata", "meta-data"):
        print(METADATA, end="")
        return 0
    answer = ask(f"{action} {plug}".strip())
    if action == "list" and not answer.startswith("error"):
        print("\n".join(f"{name}," for name in answer.split()))
    elif answer.startswith("error") or not answer:
        print(f"fence_lab: {action} {plug}: {answer or 'no answer'}", file=sys.stderr)
        return 1
    return 2 if (action, answer) == ("status", "off") else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
