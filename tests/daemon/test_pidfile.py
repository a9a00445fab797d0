"""Services that fork and write a pid file: real ones, slow ones, and such as want a stranger killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from tests.fakes.running import Heard, cleared, dead, end, is_made, means_in, pids, python, says, subreaping, until
from tests.requirements import require, require_program
from tocsin_daemon.cgroup import Cgroups
from tocsin_daemon.children import Child, Children, Program
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.pidfile import FEW_LOOKS, PidfileDriver, read_pid
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition

PORT = 40000 + os.getpid() % 10000
"""Nobody listens there: it only names our cgroups."""

DAEMON = """
import os, sys, time
path, what = sys.argv[1], sys.argv[2].split(",")
files = [path + ".born"] + [path] * ("silent" not in what)
def become():
    if "setsid" in what: os.setsid()
    if "double" in what and os.fork(): os._exit(0)
def write(path, pid):
    with open(path + ".new", "w") as file: file.write(f"{pid}\\n")
    os.rename(path + ".new", path)
if os.fork():
    if "slow" in what: time.sleep(0.2)
    os._exit(0)
become()
if "late" in what: time.sleep(0.3)
if "scrub" in what:
    os.execve(sys.executable, [sys.executable, "-ISc", sys.argv[3], *files], {})
for each in files: write(each, os.getpid())
if "successor" in what:
    while not os.path.exists(path + ".go"): time.sleep(0.01)
    pid = os.fork()
    if pid: write(path, pid); os._exit(0)
time.sleep(600)
"""
SCRUBBED = """
import os, sys, time
for path in sys.argv[1:]:
    with open(path + ".new", "w") as file: file.write(f"{os.getpid()}\\n")
    os.rename(path + ".new", path)
time.sleep(600)
"""
"""What a daemon is that has left session, parents and environment: nothing ties it to its service."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the pid file is to be."""
    return tmp_path / "web.pid"


@pytest.fixture(params=["cgroup", "none"])
def means(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Means]:
    """Return what a driver may use, with cgroups and without; we are the subreaper, as the daemon is."""
    cgroups = Cgroups(PORT) if request.param == "cgroup" else None
    place = cgroups.prepare("web") if cgroups else None
    require(cgroups is None or is_made(place), "a cgroup2 that can be written")
    children = Children(reactor)  # type: ignore[arg-type]
    with subreaping(children):
        yield means_in(tmp_path, children, cgroups)
    if place:
        place.remove()


@pytest.fixture
def service(means: Means) -> Iterator[PidfileDriver]:
    """Run a service, and leave nothing of it whatever the test does."""
    one = PidfileDriver("web", means)
    yield one
    if one._look and one._look.active():
        one._look.cancel()
    end(one)


def forking(path: Path, *what: str) -> Definition:
    """Return the definition of a service that forks."""
    definition = python(DAEMON, str(path), ",".join(what), SCRUBBED)
    definition.pidfile = str(path)
    return definition


async def born(path: Path) -> int:
    """Return the pid of the daemon that forks no more, whether or not the pid file names it."""
    said = Path(f"{path}.born")
    await until(said.exists)
    return int(said.read_text())


def looked(service: PidfileDriver, times: int = 1) -> Deferred[None]:
    """Let the command end, and the driver look so often for the daemon that it has left."""
    seen = [service._look]

    def enough() -> bool:
        if service._look is not seen[-1]:
            seen.append(service._look)
        return len(seen) > times

    return until(enough)


def peer(name: str, directory: Path) -> Definition:
    """Return the definition of a real daemon."""
    pidfile = str(directory / f"{name}.pid")
    if name == "nginx":
        conf = directory / "nginx.conf"
        listen = f"http {{ access_log off; server {{ listen unix:{directory}/nginx.sock; }} }}"
        conf.write_text(f"daemon on; pid {pidfile}; error_log stderr; worker_processes 2; events {{}} {listen}")
        return Definition((require_program("nginx"), "-e", "stderr", "-c", str(conf)), pidfile=pidfile)
    if name == "redis-server":
        words = f"--port 0 --unixsocket {directory}/redis.sock --daemonize yes --dir {directory} --pidfile {pidfile}"
        return Definition((require_program(name), *words.split(), "--save", ""), pidfile=pidfile)
    words = f"--start --background --make-pidfile --pidfile {pidfile} --exec /bin/sleep -- 600"
    return Definition((require_program(name), *words.split()), pidfile=pidfile)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("name", ["nginx", "redis-server", "start-stop-daemon"])
async def test_real_daemons_are_found_watched_and_ended(service: PidfileDriver, tmp_path: Path, name: str) -> None:
    """As their distributions start them; nginx writes its title over its environment."""
    told = Heard()
    service.start(peer(name, tmp_path), "peer", told)
    await until(lambda: told.ups != [])
    assert service.main and told.ups == [service.main]
    assert read_pid(str(tmp_path / f"{name}.pid")) == service.main.pid
    os.kill(service.main.pid, signal.SIGKILL)
    assert await told.end == -9
    await cleared(service, 5)
    assert service.left() == []
    await until(lambda: all(map(dead, service.known)))


@pytest_twisted.ensureDeferred
async def test_an_upgrade_of_nginx_is_no_incident(service: PidfileDriver, tmp_path: Path) -> None:
    """USR2, then QUIT to the old one: the new master stands in the pid file."""
    told = Heard()
    service.start(peer("nginx", tmp_path), "upgrade", told)
    await until(lambda: told.ups != [])
    old = service.main
    assert old
    os.kill(old.pid, signal.SIGUSR2)
    await until(lambda: read_pid(str(tmp_path / "nginx.pid")) not in (None, old.pid))
    os.kill(old.pid, signal.SIGQUIT)
    await until(lambda: len(told.ups) == 2)
    assert service.main == told.ups[1] and service.main != old
    assert service.main and service.main.pid == read_pid(str(tmp_path / "nginx.pid"))
    assert told.ends == []
    os.kill(service.main.pid, signal.SIGKILL)
    await told.end
    await cleared(service, 5)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("what", ["", "setsid", "setsid,double", "slow", "late", "setsid,double,late", "scrub"])
async def test_however_it_forks_it_is_found(service: PidfileDriver, path: Path, what: str) -> None:
    """At once, late, twice, in a session of its own, without its environment."""
    told = Heard()
    service.start(forking(path, what), "fork", told)
    assert told.ups == []
    await until(lambda: told.ups != [])
    main = service.main
    assert main and main.pid == read_pid(str(path))
    await cleared(service, 5)
    await until(lambda: dead(main.pid))  # its parent, who forked twice, may have yet to end
    assert told.ends == []


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_left_everything_is_found(service: PidfileDriver, path: Path) -> None:
    """Only the cgroup knows it; or nobody else's orphan it is, and the pid file names it."""
    told = Heard()
    service.start(forking(path, "setsid", "double", "scrub", "late"), "away", told)
    await until(lambda: told.ups != [])
    assert service.main and service.main.pid == read_pid(str(path))
    os.kill(service.main.pid, signal.SIGTERM)
    assert await told.end == -signal.SIGTERM
    await cleared(service, 5)


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(("script", "words"), [("exit 3", "exited with status 3"), ("kill -9 $$", "signal 9 (KILL)")])
async def test_a_command_that_fails_fails_the_start_at_once(service: PidfileDriver, script: str, words: str) -> None:
    """Whatever the pid file says."""
    told = Heard()
    service.start(Definition(("/bin/sh", "-c", script), pidfile="/proc/self/nothing"), "fails", told)
    status = await told.end
    assert status in (3, -9) and told.ups == []
    assert words in told.ends[0][1] and "its command" in told.ends[0][1]


@pytest_twisted.ensureDeferred
async def test_a_command_that_leaves_nothing_fails_the_start(service: PidfileDriver, path: Path) -> None:
    """Nothing would ever write the file; of an old one this is said too."""
    for wrote in ("was not written", "names no process of it"):
        told = Heard()
        service.start(Definition(("/bin/true",), pidfile=str(path)), wrote, told)
        assert await told.end is None
        assert told.ends[0][1] == f"its command exited with status 0, nothing of the service runs, and {path} {wrote}"
        await cleared(service, 5)
        path.write_text("4194303\n")


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_dies_before_it_is_found_fails_the_start(service: PidfileDriver, path: Path) -> None:
    """It is waited for as long as something of it runs, and no longer."""
    told = Heard()
    service.start(forking(path, "silent", "setsid"), "dies", told)
    await looked(service)
    assert (told.ups, told.ends) == ([], [])
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGKILL)
    assert await told.end is None


@pytest_twisted.ensureDeferred
async def test_a_service_without_its_pid_file_is_ended_by_a_stop(service: PidfileDriver, path: Path) -> None:
    """The start timed out; nothing is told of what is being ended."""
    told = Heard()
    service.start(forking(path, "silent", "setsid", "double"), "silent", told)
    await looked(service)
    daemon = await born(path)
    await until(lambda: pids(service) == [daemon])
    await cleared(service, 5)
    assert (told.ups, told.ends, service.left()) == ([], [], [])


@pytest_twisted.ensureDeferred
async def test_a_stop_while_the_command_runs_ends_it(service: PidfileDriver, path: Path) -> None:
    """It hears the stop signal first."""
    told = Heard()
    script = "trap 'echo bye; exit 0' QUIT; sleep 600 & echo on; wait"
    service.start(Definition(("/bin/sh", "-c", script), pidfile=str(path)), "hangs", told)
    await until(says(service, "on"))
    await cleared(service, 5, number=signal.SIGQUIT)
    assert "bye" in service.output.drain()
    assert (told.ups, told.ends, service.left()) == ([], [], [])


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("what", ["setsid", "setsid,double,scrub"])
async def test_whoever_is_none_of_the_service_is_ignored_until_the_file_changes(
    service: PidfileDriver, means: Means, path: Path, what: str
) -> None:
    """Pid 1, we ourselves, a stranger that is older, or younger, and rubbish."""

    def stranger() -> Child:
        return means.children.spawn(Program(["/bin/sleep", "600"], {}), lambda _: None, stdout=2, stderr=2)

    older, told = stranger(), Heard()
    for text in ("1", str(os.getpid()), str(older.pid), "", "\n", "-1", "x" * 9000, "9" * 30, "0x10", "\0"):
        path.write_text(text)
        assert service._named() is None
    service.start(forking(path, "silent", what, "slow"), "stranger", told)
    younger = stranger()
    for process in (older, younger):
        path.write_text(f"{process.pid}\n")
        await looked(service, FEW_LOOKS + 1)
        assert told.ups == []
    daemon = await born(path)
    path.write_text(f"{daemon}")
    await until(lambda: told.ups != [])
    await cleared(service, 5)
    await until(lambda: dead(daemon))
    for process in (older, younger):
        assert process.alive
        process.send_signal(signal.SIGKILL)


@pytest_twisted.ensureDeferred
async def test_an_orphan_of_another_service_is_a_stranger(service: PidfileDriver, means: Means, path: Path) -> None:
    """Even where the pid file names it: that service's mark, its session, or what was seen of it, tells."""
    other = ProcessDriver("db", means)
    other.start(python("import os, time; os.fork() or os.setsid(); time.sleep(600)"), "other", Heard())
    told = Heard()
    service.start(forking(path, "silent", "setsid"), "orphan", told)
    await until(lambda: len(other.members(thorough=True)) == 2)
    assert other.main
    os.kill(other.main.pid, signal.SIGKILL)
    await until(lambda: len(other.members(thorough=True)) == 1)
    (orphan,) = other.members(thorough=True)
    path.write_text(f"{orphan.pid}\n")
    await looked(service, FEW_LOOKS + 1)
    assert told.ups == []
    await cleared(service, 5)
    assert not dead(orphan.pid)
    await cleared(other, 5)


@pytest.mark.parametrize("kind", ["pipe", "directory", "link", "device"])
def test_a_pid_file_that_is_none_holds_nobody_up(path: Path, kind: str) -> None:
    """Its directory may be another user's."""
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else "/dev/zero")
    assert read_pid(str(path)) is None


def test_the_first_line_of_a_pid_file_counts(path: Path) -> None:
    """PostgreSQL's has more, and others write spaces."""
    path.write_text(" 4711 \n/var/lib/postgresql\n1700000000\n5432\n")
    assert read_pid(str(path)) == 4711


@pytest_twisted.ensureDeferred
async def test_another_main_process_takes_over_also_while_no_daemon_was_there(means: Means, path: Path) -> None:
    """The pid file names a living process of the service: that is no incident."""
    service = PidfileDriver("web", means)
    told = Heard()
    definition = forking(path, "setsid", "successor")
    service.start(definition, "heir", told)
    await until(lambda: len(told.ups) == 1)
    Path(f"{path}.go").touch()
    await until(lambda: len(told.ups) == 2)
    first, second = told.ups
    assert first and second and first.pid != second.pid and told.ends == []
    later, heard = PidfileDriver("web", means), Heard()
    assert later.adopt(definition, first, "heir", {}, heard)
    await until(lambda: heard.ups == [second])
    os.kill(second.pid, signal.SIGKILL)
    await heard.end
    assert not PidfileDriver("web", means).adopt(definition, second, "heir", {}, Heard())
    end(service)
    await cleared(later, 5)


@pytest_twisted.ensureDeferred
async def test_a_new_daemon_takes_it_over(service: PidfileDriver, means: Means, path: Path) -> None:
    """By the record; where it was not written yet, its start has failed, and its mark or cgroup finds it."""
    definition = forking(path, "setsid", "double")
    told = Heard()
    service.start(definition, "adopted", told)
    await until(lambda: told.ups != [])
    unknown = PidfileDriver("web", means)
    assert not unknown.adopt(definition, None, "adopted", {}, Heard())
    await until(lambda: pids(unknown) == [service.main and service.main.pid])
    later, heard = PidfileDriver("web", means), Heard()
    assert later.adopt(definition, service.main, "adopted", {}, heard)
    await cleared(later, 5)
    assert (later.left(), heard.ups, heard.ends) == ([], [], [])
    await told.end
