"""
What a thousand services cost that are looked at every second: the daemon's watches in a process of their own.

As in the daemon: Twisted's epoll reactor, one watch per resource, the pulse beating. The services are a few listeners
in a third process, whose cost is not counted. `run()` prints a table; it needs no cluster and no root.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
SERVICES = 1000
PORTS = 20
SETTLE, SECONDS = 5.0, 20.0
MOST_CPU, MOST_RSS = 50.0, 150.0
"""Percent of one core and MiB that the issue allows."""
CHECKS = {
    "tcp: connect": {"kind": "tcp", "target": "127.0.0.1:{port}", "options": {}},
    "tcp: PING, +PONG": {
        "kind": "tcp",
        "target": "127.0.0.1:{port}",
        "options": {"send": "PING\r\n", "expect": r"\+PONG"},
    },
    "http: GET": {"kind": "http", "target": "http://127.0.0.1:{port}/health", "options": {}},
}

LISTENERS = """
import selectors, socket, sys
found = selectors.DefaultSelector()
listeners = [socket.create_server(("127.0.0.1", 0), backlog=1000) for _ in range(int(sys.argv[1]))]
for one in listeners:
    one.setblocking(False)
    found.register(one, selectors.EVENT_READ)
print(*(one.getsockname()[1] for one in listeners), flush=True)
HTTP = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"
def close(key):
    found.unregister(key); key.close()
while True:
    for key, _ in found.select():
        if key.fileobj in listeners:
            try:
                made = key.fileobj.accept()[0]
            except BlockingIOError:
                continue
            made.setblocking(False)
            found.register(made, selectors.EVENT_READ)
            continue
        try:
            data = key.fileobj.recv(4096)
            if data:
                key.fileobj.send(b"+PONG\\r\\n" if data.startswith(b"PING") else HTTP)
        except OSError:
            data = b""
        if not data or not data.startswith(b"PING"):
            close(key.fileobj)
"""

WATCHES = """
import json, resource, sys, time
asked = json.loads(sys.argv[1])
from twisted.internet import epollreactor
epollreactor.install()
from twisted.internet import reactor
reactor.seconds = time.monotonic
from tocsin_daemon.checks.outside import Outside
from tocsin_daemon.core.check import Spec
from tocsin_daemon.looks import means as made
from tocsin_daemon.watch import Watch

means = made(reactor)
watches, took = [], []
for number in range(asked["services"]):
    port = asked["ports"][number % len(asked["ports"])]
    watch = Watch(Outside(reactor, f"service{number}", None), means, lambda verdict: None)
    target = asked["target"].format(port=port)
    watch.replace([Spec(asked["kind"], target, target, interval=1.0, options=asked["options"])])
    watches.append(watch)

def rows():
    return [watch.rows()[0] for watch in watches]

def begin():
    for watch in watches:
        watch.begin(reactor.seconds())
    reactor.callLater(asked["settle"], measure)

def measure():
    reactor.callLater(asked["seconds"], end, time.process_time(), time.monotonic(), sum(r.looks for r in rows()))

def end(cpu, begun, looks):
    cpu, seconds = time.process_time() - cpu, time.monotonic() - begun
    with open("/proc/self/status") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    now = rows()
    times = sorted(row.took for row in now)
    said = {
        "cpu": 100 * cpu / seconds, "rss": rss / 1024, "rate": (sum(r.looks for r in now) - looks) / seconds,
        "skipped": sum(r.skipped for r in now), "well": sum(r.state == "well" for r in now),
        "p50": times[len(times) // 2] * 1000, "p99": times[len(times) * 99 // 100] * 1000, "lost": means.pulse.lost(),
    }
    for watch in watches:
        watch.end()
    said["left"] = [str(call) for call in reactor.getDelayedCalls() if call.active()][:3]
    print(json.dumps(said))
    reactor.stop()

reactor.callWhenRunning(begin)
reactor.run()
"""


@dataclass(frozen=True)
class Figures:
    """What one run came to: percent of a core, MiB, looks a second, ms."""

    cpu: float
    rss: float
    rate: float
    skipped: int
    well: int
    p50: float
    p99: float
    lost: float
    left: tuple[str, ...]


def measure(check: Mapping[str, object], services: int = SERVICES, seconds: float = SECONDS) -> Figures:
    """Run the watches for so long."""
    with subprocess.Popen(
        [sys.executable, "-c", LISTENERS, str(PORTS)], stdout=subprocess.PIPE, text=True
    ) as listeners:
        assert listeners.stdout is not None  # noqa: S101 - it is piped
        ports = [int(word) for word in listeners.stdout.readline().split()]
        asked = {**check, "services": services, "ports": ports, "settle": SETTLE, "seconds": seconds}
        environ = {"PYTHONPATH": f"{TOP}/ocf:{TOP}/daemon", "PATH": "/usr/bin:/bin"}
        try:
            done = subprocess.run(
                [sys.executable, "-c", WATCHES, json.dumps(asked)],
                env=environ,
                stdout=subprocess.PIPE,
                check=True,
                timeout=SETTLE + seconds + 60,
            )
        finally:
            listeners.kill()
    return Figures(**json.loads(done.stdout))


def run(services: int = SERVICES, seconds: float = SECONDS) -> bool:
    """Print a table of what each kind of check costs; tell whether the first is as cheap as promised."""
    print(f"\n{services} services, one check a second each, on one daemon, {seconds:.0f} s\n")
    print(f"  {'':20}{'core %':>8}{'RSS MiB':>9}{'looks/s':>9}{'skipped':>9}{'p50 ms':>8}{'p99 ms':>8}   well")
    kept = True
    for name, check in CHECKS.items():
        found = measure(check, services, seconds)
        figures = f"{found.cpu:>8.1f}{found.rss:>9.1f}{found.rate:>9.1f}{found.skipped:>9}"
        print(f"  {name:20}{figures}{found.p50:>8.2f}{found.p99:>8.2f}   {found.well} of {services}")
        if found.left:
            print(f"  timers left when the watches had ended: {found.left}")
        if name == next(iter(CHECKS)):
            kept = found.cpu < MOST_CPU and found.rss < MOST_RSS and found.well == services
    print(f"  allowed for the first: {MOST_CPU:.0f} % of a core, {MOST_RSS:.0f} MiB: {'kept' if kept else 'NOT KEPT'}")
    return kept


if __name__ == "__main__":
    sys.exit(not run(*map(int, sys.argv[1:2])))
