"""What a definition says of the process that a service begins as: variables, umask, priority, resource limits."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest
import pytest_twisted

from tests.fakes.patience import ended
from tests.fakes.running import RESOURCE, Heard, ours, shell, started, until
from tests.requirements import require_root
from tocsin_daemon import entrance
from tocsin_daemon.children import Program
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers.process import ProcessDriver
from tocsin_ocf.definition import Definition


async def said(service: ProcessDriver, definition: Definition) -> list[str]:
    """Return what a service writes that ends well."""
    told = Heard()
    service.start(definition, ours("said"), told)
    assert await told.end == 0
    return service.output.drain()


def may_raise() -> bool:
    """Tell whether we have CAP_SYS_RESOURCE; root in a container may not."""
    status = Path("/proc/self/status").read_text().split("CapEff:\t")[1].split()[0]
    return bool(int(status, 16) & 1 << 24)


@pytest_twisted.ensureDeferred
async def test_variables_come_in_order(service: ProcessDriver, tmp_path: Path) -> None:
    """The definition's win over its file's, and none wins over how we find the service again."""
    (tmp_path / "env").write_text("A=file\nB=file\nHOME=/file\n")
    definition = shell("echo $A $B $HOME $TOCSIN_RESOURCE")
    definition.environment_file = str(tmp_path / "env")
    definition.environment = {"A": "own", "TOCSIN_RESOURCE": "other", "C": "two\nlines"}
    assert await said(service, definition) == [f"own file /file {RESOURCE}"]


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("user", ["", "nobody"])
async def test_limits_priority_and_umask_are_set_before_root_is_left(service: ProcessDriver, user: str) -> None:
    """A hard limit above ours and a priority are root's to give."""
    require_root()
    definition = shell("ulimit -Sn; ulimit -Hn; ulimit -c; grep pending /proc/self/limits; nice; umask", user)
    hard = resource.getrlimit(resource.RLIMIT_SIGPENDING)[1] - (0 if may_raise() else 3)
    definition.limits = {"nofile": [512, 1024], "core": [-1, -1], "sigpending": [hard + 1, hard + 2]}
    definition.nice, definition.umask = -7, "027"
    *rows, pending, nice, umask = await said(service, definition)
    assert (rows, nice, umask) == (["512", "1024", "unlimited"], "-7", "0027")
    assert pending.split()[3:5] == [str(hard + 1), str(hard + 2)]


@pytest_twisted.ensureDeferred
async def test_a_service_is_not_as_nice_as_the_daemon(service: ProcessDriver) -> None:
    """Unless it is asked to be: the unit of the daemon may have a priority of its own."""
    require_root()
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    try:
        assert await said(service, shell("nice")) == ["0"]
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)


@pytest_twisted.ensureDeferred
async def test_a_service_does_not_inherit_the_many_files_of_the_daemon(service: ProcessDriver) -> None:
    """It gets what the daemon was born with."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before[0] - 1, before[1]))
        assert await said(service, shell("ulimit -Sn")) == [str(entrance.OPEN_FILES[0])]
        entrance.allow_many_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= entrance.OPEN_FILES[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest_twisted.ensureDeferred
async def test_limits_can_be_changed_while_it_runs(service: ProcessDriver) -> None:
    """Of every process of it; what the kernel refuses waits, and is said."""
    main = started(service, shell("sleep 600 & exec sleep 601"), ours("limited"))
    await until(lambda: len(service.members(thorough=False)) == 2)
    definition = shell("")
    definition.limits = {"nofile": [100, 200]}
    assert service.relimit(definition)
    pids = [process.pid for process in service.members(thorough=False)]
    assert [resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids] == [(100, 200)] * 2
    assert main.pid in pids
    definition.limits = {"nofile": [200, 100]}
    assert not service.relimit(definition)


@pytest.mark.parametrize(
    ("limits", "code", "words"),
    [
        ({"nofile": [-1, -1]}, 4, "not permitted: limits: nofile unlimited:unlimited"),
        ({"core": [-1, -1], "nofile": [2**40, 2**40]}, 4, f"limits: nofile {2**40}:{2**40}"),
        ({"nproc": [20, 10]}, 4, "limits: nproc 20:10"),
        ({"locks": [1, 1]}, 5, "limits: locks is not known"),
    ],
)
def test_a_limit_that_is_refused_is_named_with_its_value(
    service: ProcessDriver, limits: dict[str, list[int]], code: int, words: str
) -> None:
    """A limit that silently does not hold would be a lie."""
    require_root()
    definition = shell("exec sleep 600")
    definition.limits = limits
    with pytest.raises(CannotStart, match=words) as error:
        service.start(definition, ours("refused"), Heard())
    assert error.value.code == code


def test_a_priority_that_is_refused_is_named(tmp_path: Path) -> None:
    """Who is not root may only be nicer."""
    require_root()
    pid = os.fork()
    if pid == 0:
        os.setgid(65534)
        os.setuid(65534)
        os._exit(_refused(tmp_path))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 44


def _refused(tmp_path: Path) -> int:
    """Return 40 plus the code of a start that is refused its priority; in a process of its own."""
    try:
        entrance.execute(Program(["/bin/true"], {}, nice=-5, service=True), 2, 2)
    except PermissionError as error:
        return 44 if error.filename == "nice -5" else 45
    return 46


def test_a_tool_that_runs_as_another_user_ends_with_the_daemon_too() -> None:
    """The kernel forgets PR_SET_PDEATHSIG when the identity changes (prctl(2))."""
    require_root()
    told, tell = os.pipe()
    daemon = os.fork()
    if daemon == 0:
        tool = entrance.execute(Program(["/bin/sleep", "600"], {}, user=65534, group=65534, groups=[]), 2, 2)
        os.write(tell, str(tool).encode())
        os._exit(0)
    os.waitpid(daemon, 0)
    tool = int(os.read(told, 20))
    os.close(told), os.close(tell)
    assert ended(tool)


@pytest.mark.parametrize(
    ("definition", "code", "says"),
    [
        (Definition(("/no/such/program",)), 5, "/no/such/program"),
        (Definition(("/etc/passwd",)), 4, "/etc/passwd"),
        (Definition(("/bin/true",), user="no-such-user"), 5, "no-such-user"),
        (Definition(("/bin/true",), directory="/no/such"), 5, "/no/such"),
        (Definition(("/bin/true",), environment_file="/no/such"), 5, "/no/such"),
    ],
)
def test_what_cannot_be_started_says_why(service: ProcessDriver, definition: Definition, code: int, says: str) -> None:
    """With the code that sends Pacemaker to another node."""
    with pytest.raises(CannotStart, match=says) as error:
        service.start(definition, ours("x"), Heard())
    assert error.value.code == code


def test_a_file_that_is_no_program_says_so(service: ProcessDriver, tmp_path: Path) -> None:
    """The kernel knows: Exec format error."""
    path = tmp_path / "rubbish"
    path.write_bytes(b"\x7fELF rubbish")
    path.chmod(0o755)
    with pytest.raises(CannotStart, match="format"):
        service.start(Definition((str(path),)), ours("x"), Heard())


@pytest_twisted.ensureDeferred
async def test_a_service_runs_as_its_user(service: ProcessDriver) -> None:
    """With that user's groups and home."""
    require_root()
    told = Heard()
    service.start(Definition(("/bin/sh", "-c", "id -un; id -gn; echo $HOME"), user="nobody"), ours("x"), told)
    assert await told.end == 0
    assert service.output.drain() == ["nobody", "nogroup", "/nonexistent"]
