"""Services that fork and write a pid file: real ones, slow ones, and such as want a stranger killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import pytest_twisted

from tests.fakes.forking import born, forking, looked, peer
from tests.fakes.running import RESOURCE, Heard, cleared, dead, end, ours, pids, says, until
from tocsin_daemon.drivers import Means
from tocsin_daemon.drivers.pidfile import PidfileDriver, read_pid
from tocsin_ocf import processes
from tocsin_ocf.definition import Definition


@pytest.fixture
def service(forked: PidfileDriver) -> PidfileDriver:
    """Have it fork."""
    return forked


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("name", ["nginx", "redis-server", "start-stop-daemon"])
async def test_real_daemons_are_found_watched_and_ended(service: PidfileDriver, tmp_path: Path, name: str) -> None:
    """As their distributions start them; nginx writes its title over its environment."""
    told = Heard()
    service.start(peer(name, tmp_path), ours("peer"), told)
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
    service.start(peer("nginx", tmp_path), ours("upgrade"), told)
    await until(lambda: told.ups != [])
    old = service.main
    assert old
    await until(lambda: len(pids(service)) == 3)  # it writes its pid before it waits for signals, and then has workers
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
    service.start(forking(path, what), ours("fork"), told)
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
    service.start(forking(path, "setsid", "double", "scrub", "late"), ours("away"), told)
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
    service.start(Definition(("/bin/sh", "-c", script), pidfile="/proc/self/nothing"), ours("fails"), told)
    status = await told.end
    assert status in (3, -9) and told.ups == []
    assert words in told.ends[0][1] and "its command" in told.ends[0][1]


@pytest_twisted.ensureDeferred
async def test_a_command_that_leaves_nothing_fails_the_start(service: PidfileDriver, path: Path) -> None:
    """Nothing would ever write the file; of an old one this is said too."""
    for wrote in ("was not written", "names no process of it"):
        told = Heard()
        service.start(Definition(("/bin/true",), pidfile=str(path)), ours(wrote), told)
        assert await told.end is None
        assert told.ends[0][1] == f"its command exited with status 0, nothing of the service runs, and {path} {wrote}"
        await cleared(service, 5)
        path.write_text("4194303\n")


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_dies_before_it_is_found_fails_the_start(service: PidfileDriver, path: Path) -> None:
    """It is waited for as long as something of it runs, and no longer."""
    told = Heard()
    service.start(forking(path, "silent", "setsid"), ours("dies"), told)
    await looked(service)
    assert (told.ups, told.ends) == ([], [])
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGKILL)
    assert await told.end is None


@pytest_twisted.ensureDeferred
async def test_a_service_without_its_pid_file_is_ended_by_a_stop(service: PidfileDriver, path: Path) -> None:
    """The start timed out; nothing is told of what is being ended."""
    told = Heard()
    service.start(forking(path, "silent", "setsid", "double"), ours("silent"), told)
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
    service.start(Definition(("/bin/sh", "-c", script), pidfile=str(path)), ours("hangs"), told)
    await until(says(service, "on"))
    await cleared(service, 5, number=signal.SIGQUIT)
    assert "bye" in service.output.drain()
    assert (told.ups, told.ends, service.left()) == ([], [], [])


@pytest_twisted.ensureDeferred
async def test_another_main_process_takes_over_also_while_no_daemon_was_there(means: Means, path: Path) -> None:
    """The pid file names a living process of the service: that is no incident."""
    service = PidfileDriver(RESOURCE, means)
    told = Heard()
    definition = forking(path, "setsid", "successor")
    service.start(definition, ours("heir"), told)
    await until(lambda: len(told.ups) == 1)
    Path(f"{path}.go").touch()
    await until(lambda: len(told.ups) == 2)
    first, second = told.ups
    assert first and second and first.pid != second.pid and told.ends == []
    later, heard = PidfileDriver(RESOURCE, means), Heard()
    assert later.adopt(definition, first, ours("heir"), {}, heard)
    await until(lambda: heard.ups == [second])
    os.kill(second.pid, signal.SIGKILL)
    await heard.end
    assert not PidfileDriver(RESOURCE, means).adopt(definition, second, ours("heir"), {}, Heard())
    end(service)
    await cleared(later, 5)


@pytest_twisted.ensureDeferred
async def test_a_new_daemon_takes_it_over(service: PidfileDriver, means: Means, path: Path) -> None:
    """By the record; where it was not written yet, its start has failed, and its mark or cgroup finds it."""
    definition = forking(path, "setsid", "double")
    told = Heard()
    service.start(definition, ours("adopted"), told)
    await until(lambda: told.ups != [])
    unknown = PidfileDriver(RESOURCE, means)
    assert not unknown.adopt(definition, None, ours("adopted"), {}, Heard())
    await until(lambda: pids(unknown) == [service.main and service.main.pid])
    later, heard = PidfileDriver(RESOURCE, means), Heard()
    assert later.adopt(definition, service.main, ours("adopted"), {}, heard)
    await cleared(later, 5)
    assert (later.left(), heard.ups, heard.ends) == ([], [], [])
    await told.end
