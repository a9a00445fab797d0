"""Real processes in the real reactor: started, watched, taken over, ended, and none left a zombie."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from tests.fakes.running import (
    RESOURCE,
    Heard,
    cleared,
    dead,
    end,
    means_in,
    ours,
    pids,
    python,
    says,
    service_in,
    shell,
    started,
    subreaping,
    until,
)
from tests.requirements import require_program, require_root
from tocsin_daemon.children import Children
from tocsin_daemon.core.stopping import Plan
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import processes


def test_a_look_at_the_process_table_from_before_the_start_is_not_used(service: ProcessDriver) -> None:
    """Checks of a thousand services share looks that are a second old; in those a service of today has no process."""
    service._means.table.since(reactor.seconds())  # type: ignore[attr-defined]
    main = started(service, shell("exec sleep 600"), ours("young"))
    assert main.pid in {process.pid for process in service.members(thorough=False, age=10.0)}
    assert main.pid in service.known


@pytest_twisted.ensureDeferred
async def test_a_service_runs_in_a_session_of_its_own_with_its_own_environment(service: ProcessDriver) -> None:
    """Its mark tells who it is; what it writes is kept."""
    told = Heard()
    script = "echo hello; echo $TOCSIN_RESOURCE; env | wc -l; pwd; umask; exec sleep 0"
    main = started(service, shell(script), ours("abc"), told)
    assert await told.end == 0
    assert (told.ups, told.ends) == ([main], [(0, "")])
    lines = service.output.drain()
    assert lines[:2] == ["hello", RESOURCE]
    assert lines[3:] == ["/", "0022"]


@pytest_twisted.ensureDeferred
async def test_a_stopped_process_hears_the_signal(service: ProcessDriver) -> None:
    """TERM alone would wait until somebody continues it: CONT follows, and no KILL is needed."""
    main = started(service, shell("sleep 600 & echo on; wait"), ours("stopped"))
    await until(says(service, "on"))
    for process in service.members(thorough=True):
        processes.send_signal(process, signal.SIGSTOP)
    await until(lambda: {process.state for process in service.members(thorough=False)} == {"T"})
    seen: list[tuple[str, ...]] = []
    await cleared(service, 10, seen)
    assert seen == [] and dead(main.pid)


@pytest_twisted.ensureDeferred
async def test_zombies_are_not_left_of_a_service_that_does_not_wait(service: ProcessDriver, children: Children) -> None:
    """Nor waited for: they end with their parent, and as orphans become the daemon's."""
    careless = "import os, time\nfor _ in range(3):\n    if not os.fork(): os._exit(0)\nprint('on', flush=True)"
    with subreaping(children):
        main = started(service, python(f"{careless}\ntime.sleep(600)"), ours("careless"))
        await until(says(service, "on"))
        zombies = [process.pid for process in processes.snapshot() if process.parent == main.pid]
        assert len(zombies) == 3
        await cleared(service, 10)
    assert [pid for pid in zombies if not dead(pid)] == []


@pytest_twisted.ensureDeferred
async def test_a_stop_that_cannot_end_a_process_names_it(service: ProcessDriver, tmp_path: Path) -> None:
    """It sleeps uninterruptibly; the evidence before the KILL tells it too, and in what it sleeps."""
    os.mkfifo(tmp_path / "fifo")
    call = "os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 3, sys.argv[1], 0, 0)])"
    main = started(service, python(f"import os, sys\n{call}", str(tmp_path / "fifo")), ours("stuck"))
    await until(lambda: "D" in [process.state for process in service.members(thorough=False)])
    seen: list[tuple[str, ...]] = []
    done = cleared(service, 0.3, seen)
    assert any(f"[{main.pid}] D (uninterruptible sleep" in name for name in service.left())
    await done
    assert any(f"[{main.pid}] D (uninterruptible sleep" in line for line in seen[0])


@pytest_twisted.ensureDeferred
async def test_a_stranger_that_got_a_pid_is_never_signalled(
    service: ProcessDriver, orphan: processes.Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even one that takes a pid between the look at the table and the signal."""
    service.known[orphan.pid] = orphan.start - 1
    await cleared(service, 0)
    past = processes.Process(orphan.pid, "past", "S", 1, orphan.pid, orphan.start - 1)
    tables = [[past], [past], []]
    monkeypatch.setattr(processes, "snapshot", lambda: tables.pop(0) if tables else [])
    service.known[orphan.pid] = past.start
    await cleared(service, 0)
    monkeypatch.undo()
    assert tables == [] and not dead(orphan.pid)
    assert processes.send_signal(orphan, signal.SIGKILL)


@pytest_twisted.ensureDeferred
async def test_a_stop_signal_that_kills_leaves_evidence_too(service: ProcessDriver) -> None:
    """Whoever chose it wants to know what was killed."""
    main = started(service, shell("exec sleep 600"), ours("brief"))
    done: Deferred[None] = Deferred()
    seen: list[tuple[str, ...]] = []
    service.clear(Plan(5), signal.SIGKILL, lambda: done.callback(None), seen.append)
    await done
    assert len(seen) == 1 and f"[{main.pid}]" in seen[0][0]


@pytest_twisted.ensureDeferred
async def test_a_stop_ends_the_whole_tree(service: ProcessDriver) -> None:
    """Child, daemonised grandchild in its own session, and one whose parents are gone."""
    script = "sleep 600 & setsid sleep 601 & (setsid setsid sleep 602 &) ; exec sleep 603"
    told = Heard()
    main = started(service, shell(script), ours("tree-1"), told)
    await until(lambda: len([p for p in service.members(thorough=True) if p.name == "sleep"]) == 4)
    await cleared(service, 10)
    assert service.members(thorough=True) == [] and service.left() == []
    assert dead(main.pid) and told.ends == []  # who is cleared is told no end


@pytest_twisted.ensureDeferred
async def test_what_ignores_the_signal_is_killed_in_time(service: ProcessDriver) -> None:
    """The main process and its child both ignore TERM."""
    main = started(service, shell("trap '' TERM; sleep 600 & echo on; while :; do sleep 0.1; done"), ours("deaf"))
    await until(lambda: "on" in service.output.drain() or "on" in service.output.tail)
    begun = time.monotonic()
    await cleared(service, 0.3)
    assert dead(main.pid)
    assert time.monotonic() - begun >= 0.3


@pytest_twisted.ensureDeferred
async def test_a_service_is_taken_over_by_a_new_daemon(
    service: ProcessDriver, children: Children, tmp_path: Path
) -> None:
    """Found by pid and start time, and, where even that was not written down, by its mark."""
    main = started(service, shell("exec sleep 600"), ours("handed-on"))
    other = service_in(tmp_path, children)
    assert not other.adopt(None, None, ours("handed-on"), {}, Heard())
    await until(lambda: pids(other) == [main.pid])  # its mark cannot be read while it is just being executed
    told = Heard()
    assert other.adopt(None, main, ours("handed-on"), {}, told)
    await cleared(other, 5)
    assert told.ends == [] and other.members(thorough=True) == []
    assert not other.adopt(None, main, ours("handed-on"), {}, told)


@pytest_twisted.ensureDeferred
async def test_a_service_whose_record_is_lost_is_found_by_its_resource(children: Children, tmp_path: Path) -> None:
    """Where there are no cgroups nothing else names it, and a stop that finds nothing would lie."""
    name = f"lost-{os.getpid()}"
    one, other = (ProcessDriver(name, means_in(tmp_path, children)) for _ in range(2))
    try:
        main = started(one, shell("exec sleep 600"), ours("gone"))
        assert other.members(thorough=True) == []  # of what was never started nothing is looked for
        other.adopt(None, None, "", {}, Heard())
        await until(lambda: pids(other) == [main.pid])
        await cleared(other, 5)
        assert dead(main.pid)
    finally:
        end(one)


@pytest_twisted.ensureDeferred
async def test_a_resource_of_that_name_in_a_container_is_another(children: Children, tmp_path: Path) -> None:
    """It is seen from here, and has the name in its environment; but the cluster in there is not ours."""
    require_root()
    require_program("unshare")
    name = f"lost-{os.getpid()}"
    words = ["unshare", "--pid", "--fork", "--kill-child", "env", f"TOCSIN_RESOURCE={name}", "sleep", "600"]
    container = subprocess.Popen(words)  # noqa: ASYNC220 nothing waits for it
    try:
        await until(lambda: bool(processes.marked(name, processes.snapshot(), variable="TOCSIN_RESOURCE")))
        host = ProcessDriver(name, means_in(tmp_path, children))
        assert not host.adopt(None, None, "", {}, Heard())
        assert host.members(thorough=True) == []
        await cleared(host, 5)
        assert container.poll() is None
    finally:
        container.kill()
        container.wait()
