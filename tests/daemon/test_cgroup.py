"""A service in a cgroup of its own: nothing of it is missed, and all of it ends; and life without cgroups."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
import pytest_twisted
from twisted.logger import LogEvent, globalLogPublisher

from tests.fakes.daemon import record
from tests.fakes.running import (
    Heard,
    cleared,
    dead,
    end,
    is_made,
    named,
    pids,
    python,
    says,
    service_in,
    shell,
    started,
    until,
)
from tests.requirements import require, require_root
from tocsin_daemon import entrance, scope
from tocsin_daemon.cgroup import Cgroups, cgroup_of, killed_for_memory, mount_points
from tocsin_daemon.children import Children
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers import enclosing
from tocsin_daemon.drivers.enclosing import properties
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import cgroup, processes
from tocsin_ocf.cgroup import Cgroup
from tocsin_ocf.remains import remains_of
from tocsin_ocf.rundir import Rundir

PORT = 50000 + os.getpid() % 10000
"""Nobody listens there: it only names our cgroups."""
OCF = Path(cgroup.__file__).parents[1]

AWAY = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execve("/bin/sleep", ["sleep", "605"], {})
    os._exit(0)
os.wait()
print("on", flush=True)
time.sleep(600)
"""
"""Leaves a process that has left session, parents and environment."""

BOMB = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
end = time.monotonic() + 30
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            time.sleep(0.005)
        os._exit(0)
print("on", flush=True)
time.sleep(30)
"""
"""Four processes, each of which is another one 200 times a second: whoever is looked for has gone."""

MOUNTINFO = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
38 31 0:35 / /sys/fs/cgroup/pids rw,relatime shared:9 - cgroup cgroup rw,pids
41 31 0:38 / {} rw,nosuid shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate
"""


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
    """Return what makes cgroups here; skip by name where none can be made, but fail in CI."""
    found = Cgroups(PORT)
    place = found.prepare("probe")
    require(is_made(place), "a cgroup2 that can be written")
    assert place
    place.remove()
    return found


@pytest.fixture
def children() -> Children:
    """Watch children in the reactor that pytest-twisted runs."""
    from twisted.internet import reactor

    return Children(reactor)  # type: ignore[arg-type]


@pytest.fixture
def service(tmp_path: Path, children: Children, cgroups: Cgroups) -> Iterator[ProcessDriver]:
    """Run a service in a cgroup, and leave nothing of it whatever the test does."""
    one = service_in(tmp_path, children, cgroups)
    yield one
    end(one)
    place = cgroups.find("web")
    deadline = monotonic() + 5
    while place and not place.is_empty() and monotonic() < deadline:
        place.kill()
    assert place
    place.remove()
    assert not os.path.exists(place.path)


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
    main = started(service, shell("cat /proc/self/cgroup; echo on; exec sleep 600", user), "one")
    await until(says(service, "on"))
    assert main.cgroup.endswith(f"/tocsin/{PORT}/web")
    assert f"0::/tocsin/{PORT}/web" in service.output.tail
    await cleared(service, 5)
    assert not os.path.exists(main.cgroup)


@pytest_twisted.ensureDeferred
async def test_a_daemon_that_left_everything_is_found_and_ended(service: ProcessDriver) -> None:
    """Its session, its parents and its environment are gone; without the cgroup it would be nobody's."""
    service.start(python(AWAY), "away", Heard())
    await until(lambda: len(named(service, ["sleep 605"])) == 1)
    away = next(process for process in service.members(thorough=False) if process.name == "sleep")
    assert service.main is not None
    table = processes.snapshot()
    assert away.pid not in processes.marked("away", table)
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
    main = started(service, python(BOMB), "bomb")
    await until(says(service, "on"))
    await cleared(service, 0.3, seen)
    assert not os.path.exists(main.cgroup)
    assert len(seen) == 1
    assert any(line.startswith("python") and f"[{main.pid}]" in line for line in seen[0])


@pytest_twisted.ensureDeferred
async def test_what_a_service_moves_into_cgroups_of_its_own_belongs_to_it(service: ProcessDriver) -> None:
    """A container engine does so."""
    place = Cgroups(PORT).find("web")
    assert place
    script = "mkdir -p {0}/a/b; sleep 606 & echo $! >{0}/a/b/cgroup.procs; echo on; exec sleep 600"
    service.start(shell(script.format(place.path)), "deep", Heard())
    await until(says(service, "on"))
    inside = Path(place.path, "a/b/cgroup.procs").read_text().split()
    assert len(inside) == 1 and int(inside[0]) in place.pids()
    await cleared(service, 5)
    await until(lambda: dead(int(inside[0])))
    assert not os.path.exists(place.path)


def test_whoever_ends_a_cgroup_from_within_survives(cgroups: Cgroups) -> None:
    """A daemon or an agent that was started by hand, in a shell that is a descendant of the service."""
    place = cgroups.prepare("web")
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
    main = started(service, python(AWAY), "handed-on")
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
    main = started(service, shell("exec sleep 600"), "lost")
    later = service_in(tmp_path, children, cgroups)
    with pytest.raises(CannotStart, match=rf"left of an earlier start: \w+\[{main.pid}\]"):
        later.start(shell("exec sleep 600"), "later", Heard())
    await cleared(later, 5)
    await until(lambda: dead(main.pid))


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("script", [AWAY, BOMB], ids=["away", "bomb"])
async def test_the_agent_ends_it_without_a_daemon(service: ProcessDriver, tmp_path: Path, script: str) -> None:
    """From the record alone."""
    main = started(service, python(script), "alone")
    await until(says(service, "on"))
    rundir = Rundir(str(tmp_path), PORT)
    os.makedirs(rundir.resources)
    process = {"pid": main.pid, "start": main.start, "boot": main.boot, "cgroup": main.cgroup}
    kept = {**json.loads(record("running")), "process": process}
    Path(rundir.record("web")).write_text(json.dumps(kept))
    remains = remains_of(rundir, "web")
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
            main = started(service, shell("exec sleep 600"), incarnation)
            assert pids(service) == [main.pid]
            await cleared(service, 5)
        assert len(warnings) == 1 and why in warnings.pop()
    assert Cgroups(PORT, str(tmp_path / "absent")).find("web") is None


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
    service.start(shell("exec sleep 600"), "orphans", Heard())
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


@pytest.fixture
def huge() -> Iterator[str]:
    """Return a limit whose controller we can have here: hugetlb is seldom in version 1's hands; leave it as it was."""
    mount = next(iter(mount_points(Path("/proc/self/mountinfo").read_text())))
    control = Path(mount, "cgroup.subtree_control")
    require("hugetlb" in Path(mount, "cgroup.controllers").read_text().split(), "a controller of cgroup2")
    before = control.read_text().split()
    yield "hugetlb.2MB.max"
    if "hugetlb" not in before:
        with suppress(OSError):  # another test has it too, or the directory has gone
            Path(mount, "tocsin", control.name).write_text("-hugetlb")
        with suppress(OSError):
            control.write_text("-hugetlb")


@pytest_twisted.ensureDeferred
async def test_limits_are_set_before_the_service_is_born(huge: str, service: ProcessDriver) -> None:
    """Their controller is enabled all the way down, by whoever is first."""
    definition = shell(f"cat /sys/fs/cgroup/*/tocsin/{PORT}/web/{huge}; echo on; exec sleep 600")
    definition.cgroup = {huge: "4M"}
    main = started(service, definition, "limited")
    await until(says(service, "on"))
    assert Path(main.cgroup, huge).read_text() == f"{4 * 2**20}\n"
    assert Path(main.cgroup, "cgroup.procs").read_text().split() == [str(main.pid)]
    assert str(4 * 2**20) in service.output.tail
    await cleared(service, 5)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"nosuch.max": "1"}, r"cgroup: nosuch.max cannot be set: its controller cannot be enabled in /\S+: "),
        ({"hugetlb.nosuch": "1"}, r"cgroup: hugetlb.nosuch cannot be set: there is no such file in /"),
        ({"hugetlb.2MB.max": "much"}, r"cgroup: hugetlb.2MB.max cannot be set: 'much' is refused: invalid argument"),
    ],
)
def test_a_limit_that_cannot_be_set_fails_the_start(
    huge: str, service: ProcessDriver, limits: dict[str, str], words: str
) -> None:
    """A limit that silently does not hold is a lie."""
    definition = shell("exec sleep 600")
    definition.cgroup = limits
    with pytest.raises(CannotStart, match=words) as error:
        service.start(definition, "refused", Heard())
    assert error.value.code == 5 and service.members(thorough=True) == []


def test_without_cgroups_there_are_no_limits(tmp_path: Path, children: Children) -> None:
    """Version 1 alone, a directory that cannot be made, and none at all."""
    (tmp_path / "none").write_text("")
    (tmp_path / "sealed").write_text(MOUNTINFO.format("/proc/sys/kernel"))
    definition = shell("exec sleep 600")
    definition.cgroup = {"memory.max": "1G"}
    for cgroups, why in (
        (None, "no cgroup2 is mounted"),
        (Cgroups(PORT, str(tmp_path / "none")), "no cgroup2 is mounted"),
        (Cgroups(PORT, str(tmp_path / "sealed")), "cannot be made"),
    ):
        with pytest.raises(CannotStart, match=f"cgroup: memory.max cannot be set: .*{why}"):
            service_in(tmp_path, children, cgroups).start(definition, "none", Heard())


def test_a_service_with_limits_that_cannot_enter_its_cgroup_is_not_started(
    huge: str, service: ProcessDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither born nor moved into it."""
    monkeypatch.setattr(entrance, "SYS_CLONE3", -1)
    monkeypatch.setattr(entrance, "_move_to", lambda directory: None)
    definition = shell("exec sleep 600")
    definition.cgroup = {huge: "4M"}
    with pytest.raises(CannotStart, match=rf"not permitted: /\S+/tocsin/{PORT}/web"):
        service.start(definition, "outside", Heard())


def test_a_kill_for_memory_is_named(tmp_path: Path, children: Children) -> None:
    """By the kernel's own count for the cgroup."""
    place = Cgroup(str(tmp_path), str(PORT), "web")
    service = service_in(tmp_path, children)
    service._service.cgroup = place
    assert (killed_for_memory(place), service._why(-9)) == (0, "")
    os.makedirs(place.path)
    for count, whom in ((1, "one of its processes"), (3, "3 of its processes")):
        Path(place.path, "memory.events").write_text(f"low 0\noom 9\noom_kill {count}\noom_group_kill 0\n")
        assert service._why(-9).endswith(f"; the kernel has killed {whom} for want of memory since it was started")


@pytest_twisted.ensureDeferred
async def test_a_service_that_eats_its_memory_says_so_or_is_not_started(service: ProcessDriver) -> None:
    """The real thing; where version 1 has the memory, the limit cannot hold, and nothing runs without it."""
    mount = next(iter(mount_points(Path("/proc/self/mountinfo").read_text())))
    definition = python("b = bytearray(200 * 2**20)")
    definition.cgroup = {"memory.max": "30M", "memory.swap.max": "0"}
    told = Heard()
    if "memory" not in Path(mount, "cgroup.controllers").read_text().split():
        with pytest.raises(CannotStart, match=r"memory\.max cannot be set"):
            service.start(definition, "hungry", told)
        return
    service.start(definition, "hungry", told)
    assert await told.end == -9
    assert "signal 9 (KILL); the kernel has killed one of its processes for want of memory" in told.ends[0][1]


@pytest.fixture
def enclosed(tmp_path: Path, children: Children, monkeypatch: pytest.MonkeyPatch) -> ProcessDriver:
    """Return a service where systemd has the cgroups, or so it seems: nobody answers."""
    monkeypatch.setattr(scope, "BUSCTL", "/bin/false")
    monkeypatch.setattr(enclosing, "PAUSES", (0.01, 0.01))
    (tmp_path / "mounts").write_text(MOUNTINFO.format(tmp_path))
    return service_in(tmp_path, children, Cgroups(PORT, str(tmp_path / "mounts"), str(tmp_path)))


def keepers() -> list[int]:
    """Return the processes that hold a scope open for a service."""
    ours = (one.pid for one in processes.snapshot() if one.parent == os.getpid() and one.alive)
    return [pid for pid in ours if program_of(pid) == os.path.realpath(enclosing.KEEPER[0])]


def program_of(pid: int) -> str:
    """Return what a process executes; its name changes only some time after a start has seen it executed."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


@pytest_twisted.ensureDeferred
async def test_a_scope_that_systemd_does_not_make_fails_the_start(enclosed: ProcessDriver) -> None:
    """Later than the call, but in the same words; and nobody is left."""
    definition, told = shell("exec sleep 600"), Heard()
    definition.cgroup = {"memory.max": "1G"}
    enclosed.start(definition, "scope", told)
    assert len(keepers()) == 1
    assert await told.end is None
    assert told.ups == [] and "cgroup: memory.max cannot be set: systemd does not make tocsin-" in told.ends[0][1]
    await until(lambda: keepers() == [])


@pytest_twisted.ensureDeferred
async def test_a_stop_while_systemd_makes_a_scope_is_the_end_of_it(enclosed: ProcessDriver) -> None:
    """Nothing is told, and nothing is born any more."""
    definition, told = shell("exec sleep 600"), Heard()
    definition.cgroup = {"memory.max": "1G"}
    enclosed.start(definition, "scope", told)
    await cleared(enclosed, 5)
    await until(lambda: keepers() == [])
    assert (told.ups, told.ends, enclosed.left()) == ([], [], [])


def test_what_systemd_is_told_of_limits() -> None:
    """As systemd.resource-control(5) has it; what it has no property for is only accounted."""
    limits = {"memory.max": "2G", "pids.max": "max", "cpu.max": "50000", "io.weight": "default 100", "io.max": "8:0 x"}
    assert properties(limits) == [
        ("MemoryAccounting", "b", "true"),
        ("MemoryMax", "t", 2 * 2**30),
        ("TasksAccounting", "b", "true"),
        ("TasksMax", "t", 2**64 - 1),
        ("CPUAccounting", "b", "true"),
        ("CPUQuotaPerSecUSec", "t", 500_000),
        ("CPUQuotaPeriodUSec", "t", 100_000),
        ("IOAccounting", "b", "true"),
        ("IOWeight", "t", 100),
    ]
    assert properties({"cpu.max": "max 20000"})[1:] == [
        ("CPUQuotaPerSecUSec", "t", 2**64 - 1),
        ("CPUQuotaPeriodUSec", "t", 20_000),
    ]
    assert properties({"memory.max": "x", "cpu.max": ""})[1:] == [("CPUAccounting", "b", "true")]
