"""A service in a cgroup of its own: nothing of it is missed, and all of it ends; and life without cgroups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import pytest_twisted
from twisted.logger import LogEvent, globalLogPublisher

from tests.fakes.cgroups import AWAY, BOMB, MOUNTINFO, PORT, cgroups_here
from tests.fakes.daemon import record
from tests.fakes.running import (
    RESOURCE,
    Heard,
    cleared,
    dead,
    named,
    ours,
    pids,
    python,
    says,
    service_in,
    shell,
    started,
    until,
)
from tests.requirements import require_root
from tocsin_daemon import entrance
from tocsin_daemon.cgroup import Cgroups, cgroup_of, mount_points
from tocsin_daemon.children import Children
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import cgroup, processes
from tocsin_ocf.cgroup import Cgroup
from tocsin_ocf.remains import remains_of
from tocsin_ocf.rundir import Rundir

OCF = Path(cgroup.__file__).parents[1]


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Return what is logged of cgroups."""
    seen: list[str] = []

    def observe(event: LogEvent) -> None:
        if "cgroup" in str(event.get("log_format")):
            seen.append(str(event.get("why")))

    globalLogPublisher.addObserver(observe)
    yield seen
    globalLogPublisher.removeObserver(observe)


@pytest.fixture
def cgroups() -> Cgroups:
    """Have services in cgroups."""
    return cgroups_here()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("clone3", [entrance.SYS_CLONE3, -1], ids=["clone3", "fork"])
@pytest.mark.parametrize("user", ["", "nobody"])
async def test_a_service_is_in_its_cgroup_from_the_first_instruction(
    service: ProcessDriver, monkeypatch: pytest.MonkeyPatch, user: str, clone3: int
) -> None:
    """Born in it or not, whoever it runs as; and when it has been stopped the cgroup is gone."""
    monkeypatch.setattr(entrance, "SYS_CLONE3", clone3)
    if user:
        require_root()
    main = started(service, shell("cat /proc/self/cgroup; echo on; exec sleep 600", user), ours("one"))
    await until(says(service, "on"))
    assert main.cgroup.endswith(f"/tocsin/{PORT}/{RESOURCE}")
    assert f"0::/tocsin/{PORT}/{RESOURCE}" in service.output.tail
    await cleared(service, 5)
    assert not os.path.exists(main.cgroup)


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_left_everything_is_found_and_ended(service: ProcessDriver) -> None:
    """Its session, its parents and its environment are gone; without the cgroup it would be nobody's."""
    service.start(python(AWAY), ours("away"), Heard())
    await until(lambda: len(named(service, ["sleep 605"])) == 1)
    away = next(process for process in service.members(thorough=False) if process.name == "sleep")
    assert service.main is not None
    table = processes.snapshot()
    assert away.pid not in processes.marked(ours("away"), table)
    main = (service.main.pid, service.main.start)
    assert away.pid not in {one.pid for one in processes.members(table, main, {}, set())}
    await cleared(service, 5)
    await until(lambda: dead(away.pid))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("kill", [cgroup.KILL, "cgroup.of-linux-5.13"])
async def test_a_fork_bomb_is_ended(service: ProcessDriver, monkeypatch: pytest.MonkeyPatch, kill: str) -> None:
    """All at once, and before Linux 5.14 frozen first."""
    monkeypatch.setattr(cgroup, "KILL", kill)
    seen: list[tuple[str, ...]] = []
    main = started(service, python(BOMB), ours("bomb"))
    await until(says(service, "on"))
    await cleared(service, 0.3, seen)
    assert not os.path.exists(main.cgroup)
    assert len(seen) == 1
    assert any(line.startswith("python") and f"[{main.pid}]" in line for line in seen[0])


@pytest_twisted.ensureDeferred
async def test_what_a_service_moves_into_cgroups_of_its_own_belongs_to_it(service: ProcessDriver) -> None:
    """A container engine does so."""
    place = Cgroups(PORT).find(RESOURCE)
    assert place
    script = "mkdir -p {0}/a/b; sleep 606 & echo $! >{0}/a/b/cgroup.procs; echo on; exec sleep 600"
    service.start(shell(script.format(place.path)), ours("deep"), Heard())
    await until(says(service, "on"))
    inside = Path(place.path, "a/b/cgroup.procs").read_text().split()
    assert len(inside) == 1 and int(inside[0]) in place.pids()
    await cleared(service, 5)
    await until(lambda: dead(int(inside[0])))
    assert not os.path.exists(place.path)


def test_whoever_ends_a_cgroup_from_within_survives(cgroups: Cgroups) -> None:
    """A daemon or an agent that was started by hand, in a shell that is a descendant of the service."""
    place = cgroups.prepare(RESOURCE)
    assert place
    script = (
        f"import os, sys; sys.path.insert(0, {str(OCF)!r}); from tocsin_ocf.cgroup import cgroup_at\n"
        "place = cgroup_at(sys.argv[1]); open(place.path + '/cgroup.procs', 'w').write('0')\n"
        "pid = os.posix_spawn('/bin/sleep', ['sleep', '600'], {})\n"
        "assert place.pids() == {pid} and not place.is_empty(); place.kill(); os.waitpid(pid, 0)\n"
        "assert place.pids() == set() and place.is_empty(); print('survived')"
    )
    said = subprocess.run([sys.executable, "-ISc", script, place.path], stdout=subprocess.PIPE, check=True, text=True)
    assert said.stdout == "survived\n"
    place.remove()
    assert not os.path.exists(place.path)


@pytest_twisted.ensureDeferred
async def test_a_new_daemon_finds_the_cgroup(service: ProcessDriver, children: Children, tmp_path: Path) -> None:
    """By the record of the main process, and by its name where that was not written down."""
    main = started(service, python(AWAY), ours("handed-on"))
    await until(says(service, "on"))
    for known in (main, None):
        other = service_in(tmp_path, children, Cgroups(PORT))
        other.adopt(None, known, "", {}, Heard())
        await until(lambda one=other: len(named(one, ["sleep 605"])) == 1)  # type: ignore[misc]
    other.cancel()
    await cleared(other, 5)
    assert not os.path.exists(main.cgroup)


@pytest_twisted.ensureDeferred
async def test_a_start_beside_unknown_remains_is_refused_and_a_stop_ends_them(
    service: ProcessDriver, children: Children, tmp_path: Path, cgroups: Cgroups
) -> None:
    """Their record was lost; the cgroup still has the resource's name."""
    main = started(service, shell("exec sleep 600"), ours("lost"))
    later = service_in(tmp_path, children, cgroups)
    with pytest.raises(CannotStart, match=rf"left of an earlier start: \w+\[{main.pid}\]"):
        later.start(shell("exec sleep 600"), ours("later"), Heard())
    await cleared(later, 5)
    await until(lambda: dead(main.pid))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("script", [AWAY, BOMB], ids=["away", "bomb"])
async def test_the_agent_ends_it_without_a_daemon(service: ProcessDriver, tmp_path: Path, script: str) -> None:
    """From the record alone."""
    main = started(service, python(script), ours("alone"))
    await until(says(service, "on"))
    rundir = Rundir(str(tmp_path), PORT)
    os.makedirs(rundir.resources)
    process = {"pid": main.pid, "start": main.start, "boot": main.boot, "cgroup": main.cgroup}
    kept = {**json.loads(record("running")), "process": process}
    Path(rundir.record(RESOURCE)).write_text(json.dumps(kept))
    remains = remains_of(rundir, RESOURCE)
    assert remains.readable and main.pid in {one.pid for one in remains.living()}
    assert remains.end(monotonic() + 2) == []
    assert not os.path.exists(main.cgroup)


@pytest_twisted.ensureDeferred
async def test_without_cgroups_services_run_and_the_log_says_so_once(
    tmp_path: Path, children: Children, warnings: list[str]
) -> None:
    """None mounted, or none that can be written."""
    info = tmp_path / "mountinfo"
    for text, why in (("", "no cgroup2 is mounted"), (MOUNTINFO.format("/proc/sys/kernel"), "/tocsin")):
        info.write_text(text)
        service = service_in(tmp_path, children, Cgroups(PORT, str(info)))
        for incarnation in ("a", "b"):
            main = started(service, shell("exec sleep 600"), ours(incarnation))
            assert pids(service) == [main.pid]
            await cleared(service, 5)
        assert len(warnings) == 1 and why in warnings.pop()
    assert Cgroups(PORT, str(tmp_path / "absent")).find(RESOURCE) is None


def test_a_cgroup_that_cannot_be_entered_is_told(warnings: list[str], tmp_path: Path) -> None:
    """Where the process really is says the kernel."""
    cgroups = Cgroups(PORT)
    cgroups.check(os.getpid(), Cgroup(str(tmp_path), "1", "web"))
    assert f"pid {os.getpid()} is in {cgroup_of(os.getpid()) or 'none'}" in warnings[0]
    assert cgroup_of(2**22 + 1) == ""


def test_the_mount_is_found_in_every_layout() -> None:
    """Hybrid, unified, none, and a path with a space."""
    assert mount_points("") == []
    assert mount_points(MOUNTINFO.format("/sys/fs/cgroup/unified")) == ["/sys/fs/cgroup/unified"]
    assert mount_points(MOUNTINFO.format("/a\\040b")) == ["/a b"]


def is_zombie(pid: int) -> bool:
    """Tell whether a child has ended and waits to be reaped."""
    process = processes.look(pid)
    return process is not None and process.state == "Z"


@pytest_twisted.ensureDeferred
async def test_an_orphan_is_attributed_before_it_is_reaped(service: ProcessDriver, children: Children) -> None:
    """Its cgroup tells whose it was; nothing stays a zombie, and the evidence tells how it ended."""
    service.start(shell("exec sleep 600"), ours("orphans"), Heard())
    assert service.main is not None
    pid = os.fork()  # as the kernel gives a subreaper an orphan: a child of ours that we did not spawn
    if pid == 0:
        Path(service.main.cgroup, "cgroup.procs").write_text("0")
        os._exit(3)
    await until(lambda: is_zombie(pid))
    children.reap()
    assert dead(pid)
    assert [line for line in service.evidence() if f"[{pid}] has ended: exit status 3" in line]
    stranger = os.posix_spawn("/bin/true", ["true"], {})  # noqa: ASYNC221 - it does not block
    await until(lambda: is_zombie(stranger))
    children.reap()
    assert dead(stranger) and not [line for line in service.evidence() if f"[{stranger}]" in line]
