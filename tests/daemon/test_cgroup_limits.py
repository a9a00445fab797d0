"""Limits of a cgroup: they hold before anything of the service runs, or it is not started; systemd's scopes too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_twisted

from tests.fakes.cgroups import MOUNTINFO, PORT, cgroups_here
from tests.fakes.running import (
    RESOURCE,
    Heard,
    cleared,
    ours,
    python,
    says,
    service_in,
    shell,
    started,
    until,
)
from tests.requirements import require
from tocsin_daemon import entrance, scope
from tocsin_daemon.cgroup import Cgroups, killed_for_memory, mount_points
from tocsin_daemon.children import Children
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers import enclosing
from tocsin_daemon.drivers.enclosing import properties
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf import processes
from tocsin_ocf.cgroup import Cgroup


@pytest.fixture
def cgroups() -> Cgroups:
    """Have services in cgroups."""
    return cgroups_here()


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
    definition = shell(f"cat /sys/fs/cgroup/*/tocsin/{PORT}/{RESOURCE}/{huge}; echo on; exec sleep 600")
    definition.cgroup = {huge: "4M"}
    main = started(service, definition, ours("limited"))
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
        service.start(definition, ours("refused"), Heard())
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
            service_in(tmp_path, children, cgroups).start(definition, ours("none"), Heard())


def test_a_service_with_limits_that_cannot_enter_its_cgroup_is_not_started(
    huge: str, service: ProcessDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither born nor moved into it."""
    monkeypatch.setattr(entrance, "SYS_CLONE3", -1)
    monkeypatch.setattr(entrance, "_move_to", lambda directory: None)
    definition = shell("exec sleep 600")
    definition.cgroup = {huge: "4M"}
    with pytest.raises(CannotStart, match=rf"not permitted: /\S+/tocsin/{PORT}/{RESOURCE}"):
        service.start(definition, ours("outside"), Heard())


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
            service.start(definition, ours("hungry"), told)
        return
    service.start(definition, ours("hungry"), told)
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
    enclosed.start(definition, ours("scope"), told)
    assert len(keepers()) == 1
    assert await told.end is None
    assert told.ups == [] and "cgroup: memory.max cannot be set: systemd does not make tocsin-" in told.ends[0][1]
    await until(lambda: keepers() == [])


@pytest_twisted.ensureDeferred
async def test_a_stop_while_systemd_makes_a_scope_is_the_end_of_it(enclosed: ProcessDriver) -> None:
    """Nothing is told, and nothing is born any more."""
    definition, told = shell("exec sleep 600"), Heard()
    definition.cgroup = {"memory.max": "1G"}
    enclosed.start(definition, ours("scope"), told)
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
