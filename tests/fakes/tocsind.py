"""
A stand-in for the program `tocsind`, for tests of who starts it: `tocsind.py --port P --state-dir D ... --play PART`.

PART is `ready` (listens, says so, answers one request with --code and --text, and ends), `taken` (another one
holds the lock), `fail` (says why in a STATUS), `die` (prints why, and ends), `silent` (never gets ready).
"""

import argparse
import fcntl
import json
import os
import socket
import sys
import time

PATIENCE = 10.0


def main() -> int:
    """Play the part."""
    parser = argparse.ArgumentParser()
    for name in ("--port", "--code", "--requests"):
        parser.add_argument(name, type=int, default=1)
    for name in ("--state-dir", "--log-file", "--play", "--text", "--check-config", "--faults"):
        parser.add_argument(name, default="")
    options = parser.parse_args()
    if options.check_config:
        return check(options.check_config)
    return {"ready": ready, "taken": taken, "fail": fail, "die": die, "silent": silent}[options.play](options)


def check(path: str) -> int:
    """Call every line of the file a fault."""
    with open(path) as file:
        faults = [f"{path}:{number}: {line.strip()}: unknown" for number, line in enumerate(file, 1)]
    print("\n".join(faults))
    return 78 if faults else 0


def ready(options: argparse.Namespace) -> int:
    """Listen, and answer."""
    rundir = f"{options.state_dir}/{options.port}"
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        listener.settimeout(PATIENCE)
        with open(os.open(f"{rundir}/secret", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write("token proof")
        with open(f"{rundir}/started.json", "w") as file:
            json.dump(surroundings(), file)
        lock = os.open(f"{rundir}/lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        notify("READY=1")
        left = options.requests
        while left:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as lines:
                line = lines.readline()
                with open(f"{rundir}/asked", "ab") as file:
                    file.write(line)
                connection.sendall(f"tocsin/1 proof {options.code} {options.text}\n".encode())
                left -= b" PING " not in line
    return 0


def surroundings() -> "dict[str, object]":
    """Return what a daemon inherits, for the test to look at."""
    mask = os.umask(0o077)
    return {
        "argv": sys.argv[1:],
        "cwd": os.getcwd(),
        "environ": dict(os.environ),
        "fds": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)),
        "leads_session": os.getsid(0) == os.getpid(),
        "umask": mask,
    }


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}") and int(fd) < 1000


def taken(options: argparse.Namespace) -> int:
    """Find another daemon."""
    return 75


def fail(options: argparse.Namespace) -> int:
    """Say why it cannot be."""
    notify(f"STATUS={options.text}")
    return 69


def die(options: argparse.Namespace) -> int:
    """Print something like the end of a traceback."""
    print("Traceback ...\nImportError: no twisted\n", file=sys.stderr)
    return 1


def silent(options: argparse.Namespace) -> int:
    """Neither listen nor end, until the caller has lost its patience."""
    with open(f"{options.state_dir}/{options.port}/silent", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(PATIENCE)
    return 0


def notify(state: str) -> None:
    """Tell who started this."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(state.encode(), "\0" + os.environ["NOTIFY_SOCKET"][1:])


if __name__ == "__main__":
    sys.exit(main())
