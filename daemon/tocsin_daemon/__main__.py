"""`tocsind`: the composition root, and the only module that names the real reactor."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, cast

import click
from twisted.internet.error import CannotListenError
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from tocsin_daemon import config_watch, file_check, looks, observation, tracing
from tocsin_daemon.assembly import world_of
from tocsin_daemon.children import Children, become_subreaper
from tocsin_daemon.chronicle import Chronicle
from tocsin_daemon.config_watch import ConfigWatch
from tocsin_daemon.control import BACKLOG, ControlFactory
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.daemon import OUTPUT_EVERY, Daemon
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_daemon.entrance import allow_many_files
from tocsin_daemon.hooks.following import FILE as HOOKS_FILE
from tocsin_daemon.hooks.following import Hooks
from tocsin_daemon.log_file import observe
from tocsin_daemon.metrics.address import Address, BadAddress, parse
from tocsin_daemon.notify import Starter, summary
from tocsin_daemon.reporter import ClusterTools
from tocsin_daemon.scope import Scopes
from tocsin_daemon.store import Locked, Store, Unusable
from tocsin_daemon.tools import Tools
from tocsin_ocf import __version__
from tocsin_ocf.client import LOOPBACK
from tocsin_ocf.pacemaker import BIN
from tocsin_ocf.rundir import PORT, STATE_DIR

if TYPE_CHECKING:
    from twisted.internet.epollreactor import EPollReactor

log = Logger()

EX_UNAVAILABLE = 69
EX_TEMPFAIL = 75
"""Exit statuses, from sysexits.h: port taken or directory unusable; another daemon is there."""

SECRETS_EVERY = 1.0


@dataclass(frozen=True)
class Options:
    """What the command line says of a daemon that serves."""

    port: int
    linger: float
    pacemaker_bin: str
    metrics: Address | None
    hooks: str
    dry_run: bool


def read_address(_: click.Context, __: click.Parameter, text: str | None) -> Address | None:
    """Return an address to serve metrics at, or tell what is wrong with it."""
    try:
        return parse(text) if text else None
    except BadAddress as error:
        raise click.BadParameter(str(error)) from None


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tocsind")
@click.option("--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), help="TCP port on 127.0.0.1.")
@click.option("--state-dir", default=STATE_DIR, show_default=True, help="Run-time state is kept in STATE_DIR/PORT.")
@click.option("--log-file", help="Log to this file (rotated at 10 MiB, four kept) instead of stderr.")
@click.option("--linger", default=60.0, show_default=True, help="Seconds to stay after the last resource has stopped.")
@click.option("--pacemaker-bin", default=BIN, show_default=True, help="Where crm_resource and crm_mon are.")
@click.option("--dry-run", is_flag=True, help="Log the crm_resource command of a report instead of executing it.")
@click.option(
    "--metrics",
    metavar="ADDRESS",
    callback=read_address,
    help="Serve metrics to Prometheus at HOST:PORT on loopback, such as 127.0.0.1:9910, or on a Unix socket's PATH.",
)
@click.option("--hooks", default=HOOKS_FILE, show_default=True, help="What to run or post to when something happens.")
@click.option("--check-config", metavar="FILE", help="Check a service definition, print every fault, and exit (78).")
@click.option("--here", is_flag=True, help="With --check-config: what this machine lacks is a fault too.")
def main(  # noqa: PLR0913 - click passes each option as an argument
    port: int,
    state_dir: str,
    log_file: str | None,
    linger: float,
    pacemaker_bin: str,
    metrics: Address | None,
    hooks: str,
    check_config: str | None,
    *,
    dry_run: bool,
    here: bool,
) -> None:
    """
    Start services, watch them, and tell Pacemaker at once when one fails.

    Runs in the foreground. The agent ocf:tocsin:service starts it when it is needed; nobody has to. SIGTERM ends
    it and leaves the services running: the next one takes them over.

    Where there is a journald, every line of its log goes there too, with fields such as TOCSIN_RESOURCE and
    TOCSIN_REPORT; where there is none, to syslog.

    Metrics are off by default. Who can connect can read them: the names of resources and checks, never a cause. With
    systemd they are turned on by `systemctl edit tocsind@.service`: an empty ExecStart=, then the unit's own with
    --metrics; without it by the agent's daemon_args. They need python3-prometheus-client.

    Exit status: 0 ended by a signal, or after the last resource; 2 usage; 69 the port is taken, or the directory
    cannot be used; 75 another daemon is there; 78 faults in a service definition.
    """
    if check_config:
        status, lines = file_check.check(check_config, here=here)
        if status:
            click.echo("\n".join(lines))
        sys.exit(status)
    os.umask(0o077)
    starter = Starter(os.environ)
    faulthandler.enable()  # where a daemon hung that the watchdog ends with SIGABRT
    observe(log_file, port)
    store = Store(state_dir, port)
    try:
        store.open()
    except (Locked, Unusable) as error:
        give_up(starter, str(error), EX_TEMPFAIL if isinstance(error, Locked) else EX_UNAVAILABLE)
    serve(starter, store, Options(port, linger, pacemaker_bin, metrics, hooks, dry_run))


def give_up(starter: Starter, why: str, status: int) -> None:
    """End before anything was served, and tell who started us why."""
    log.error("{why}", why=why)
    starter.tell(f"STATUS={why}")
    sys.exit(status)


def serve(starter: Starter, store: Store, options: Options) -> None:
    """Listen, take up what a former daemon left, and run until the last resource has gone or SIGTERM comes."""
    from twisted.internet import reactor as installed  # noqa: PLC0415 - naming it installs it

    reactor = cast("EPollReactor", installed)
    reactor.seconds = time.monotonic  # Twisted's own clock is the wall's, which jumps
    children, debug, port = Children(reactor), tracing.Debug(reactor), options.port
    chronicle = Chronicle(store, store.known)
    chronicle.followers += [tracing.follow, debug.follow]
    tools = debug.executed(Tools(reactor, children).run)
    cluster = ClusterTools(tools, options.pacemaker_bin, reactor, dry_run=options.dry_run)
    world = world_of(reactor, store, port, children, cluster, looks.means(reactor, debug.looked))
    daemon = Daemon(lambda daemon: replace(world(daemon), store=chronicle), options.linger, reactor.stop)
    become_subreaper()
    allow_many_files()
    secrets = store.new_secrets()
    try:
        control = ControlFactory(reactor, secrets, debug.asked(daemon.ask))
        reactor.listenTCP(port, control, backlog=BACKLOG, interface=LOOPBACK)
    except CannotListenError as error:
        store.forget_secrets()
        give_up(starter, f"cannot listen on {LOOPBACK}:{port}: {error.socketError}", EX_UNAVAILABLE)
    LoopingCall(store.keep_secrets).start(SECRETS_EVERY, now=False)
    counted = observation.serve_metrics(reactor, options.metrics, daemon, chronicle)
    hooks = observation.hooks(reactor, children, options.hooks, chronicle, counted)
    take_up(store, daemon)
    scopes = Scopes(port, reactor, Tools(reactor, children).run)
    reactor.callWhenRunning(ready, starter, scopes, reactor, children, daemon)
    reactor.callWhenRunning(hear, reactor, daemon, hooks, debug)
    reactor.addSystemEventTrigger("before", "shutdown", daemon.look_no_more)
    reactor.run()
    starter.tell("STOPPING=1")
    wind_up(store, daemon)


def resume(daemon: Daemon, record: Record) -> None:
    """Take up one resource; one that cannot be must not keep the others from it."""
    try:
        daemon.resume(record)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other resources need their daemon
        log.failure("{name} cannot be taken up", name=record.resource)
        daemon.lose(record.resource, repr(error), str((record.definition or {}).get("driver") or ""))


def take_up(store: Store, daemon: Daemon) -> None:
    """Take up every resource that a former daemon left."""
    for found in store.records():
        if isinstance(found, Record):
            resume(daemon, found)
        else:
            daemon.lose(*found)
    daemon.changed()


def ready(starter: Starter, scopes: Scopes, reactor: EPollReactor, children: Children, daemon: Daemon) -> None:
    """Begin: orphans are reaped when they end, output is read, and who started us is told."""
    signal.signal(signal.SIGCHLD, lambda *_: reactor.callFromThread(children.reap))
    children.reap()
    LoopingCall(every_second, starter, scopes, daemon).start(OUTPUT_EVERY, now=False)
    log.info("tocsind {version} listens; {count} resources", version=__version__, count=len(daemon.resources))
    starter.tell("READY=1")
    starter.tell_that_we_live(reactor)


def hear(reactor: EPollReactor, daemon: Daemon, hooks: Hooks, debug: tracing.Debug) -> None:
    """Look at definition files from now on; HUP has files read again, USR1 turns debug on, and USR2 off."""
    files = ConfigWatch(daemon.resources.values, daemon.reload_file)
    LoopingCall(files.look).start(config_watch.EVERY, now=False)
    heard: dict[signal.Signals, Callable[[], None]] = {
        signal.SIGHUP: partial(read_again, files, hooks),
        signal.SIGUSR1: lambda: debug.begin(observation.records(daemon)),
        signal.SIGUSR2: debug.end,
    }
    for number, does in heard.items():
        signal.signal(number, lambda *_, does=does: reactor.callFromThread(does))


def read_again(files: ConfigWatch, hooks: Hooks) -> None:
    """Read every file of the administrator's."""
    files.forget()
    hooks.read()


def every_second(starter: Starter, scopes: Scopes, daemon: Daemon) -> None:
    """Take what the services wrote, give the new ones their scopes, and say how they are."""
    daemon.drain()
    for resource in daemon.resources.values():
        if isinstance(resource.service.driver, ProcessDriver):
            scopes.look_after(resource.service.driver)
    starter.tell_status(summary(resource.record.phase.value for resource in daemon.resources.values()))


def wind_up(store: Store, daemon: Daemon) -> None:
    """Leave nothing but what the next daemon, or the administrator, needs to know."""
    store.forget_secrets()
    for name, resource in daemon.resources.items():
        record = resource.record
        if record.phase is Phase.STOPPED and record.incident is None and record.pause is None:
            store.forget(name)
    log.info("tocsind ends")


if __name__ == "__main__":
    main()
