"""
Runs inside a node as the service under test: tells the judge that it lives, and holds what only one may hold.

    witnessed.py NAME [--many] [FURTHER WORDS]

The lock is the kernel's: NAME.lock is one file in all nodes where the judge linked it, so a second instance finds it
taken however late anybody looks. `--many`: others of its name may live. USR1 promotes it, and USR2 demotes it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys

PLACE = "/var/lib/pcsd"
"""On the node's disk, so that the judge outside is here too; nobody in the lab uses it."""
EAR = f"{PLACE}/judge"
TOLD = {signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}


def hold(name: str) -> tuple[int, str]:
    """Take what one instance at a time may hold; "crowded" where another has it."""
    descriptor = os.open(f"{PLACE}/{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return descriptor, "crowded"
    return descriptor, "alone"


def main(name: str, *words: str) -> None:
    """Live until TERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)
    judge = socket.socket(socket.AF_UNIX)
    judge.connect(EAR)  # without a judge there is no service

    def say(*said: str) -> None:
        judge.sendall(" ".join(said).encode() + b"\n")

    _, how = (-1, "alone") if "--many" in words else hold(name)
    say("born", how, name, *words)
    role = -1
    while True:
        told = signal.sigwait(TOLD)
        if told == signal.SIGTERM:
            sys.exit()
        if told == signal.SIGUSR1 and role < 0:
            role, how = hold(f"{name}.promoted")
            say("promoted", how)
        elif told == signal.SIGUSR2 and role >= 0:
            os.close(role)
            role = -1
            say("demoted", "alone")


if __name__ == "__main__":
    main(*sys.argv[1:])
