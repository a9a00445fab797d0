"""What a record tells when no daemon can be asked; and nothing on trust."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.fakes.daemon import record
from tocsin_ocf.exit_codes import OCF_ERR_PERM, ActionFailed
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.processes import boot_id, look
from tocsin_ocf.remains import Remains, relocated, remains_of
from tocsin_ocf.rundir import Rundir

JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=5,
)
KEYS = some.sampled_from(["version", "phase", "incarnation", "process", "members"])


@pytest.fixture
def rundir(tmp_path: Path) -> Rundir:
    """Return an empty run directory."""
    found = Rundir(str(tmp_path), 9909)
    os.makedirs(found.resources)
    return found


def keep(rundir: Rundir, text: str) -> Remains:
    """Write the record of "web", and read what it tells."""
    Path(rundir.record("web")).write_text(text)
    return remains_of(rundir, "web")


def test_without_a_record_nothing_should_run(rundir: Rundir) -> None:
    """And nothing does, as far as anybody knows."""
    remains = remains_of(rundir, "web")
    assert remains.clean and remains.living() == []


def test_a_record_names_a_cgroup_only_where_it_can_be_one_of_ours(rundir: Rundir) -> None:
    """What is in it would be killed: a record of an older daemon has none, a faulty one must not name all there is."""
    kept = json.loads(record("running", pid=1, start=1, boot=boot_id()))
    assert keep(rundir, json.dumps(kept)).cgroup is None

    def naming(cgroup: object) -> Remains:
        return keep(rundir, json.dumps({**kept, "process": {**kept["process"], "cgroup": cgroup}}))

    ours = naming("/sys/fs/cgroup/tocsin/9909/web")
    assert ours.cgroup and ours.cgroup.path == "/sys/fs/cgroup/tocsin/9909/web"
    others = ["", "/", "/sys/fs/cgroup", "/sys/fs/cgroup/tocsin/9909", "/tocsin/x/web", "x/tocsin/9909/web", None, 7]
    others += ["/a/../tocsin/9909/web", "/a/tocsin/9909/..", "/a/tocsin/9909/web/..", "/a/tocsin/9909/web/x", "//a"]
    for other in others:
        remains = naming(other)
        assert remains.readable and remains.cgroup is None


@pytest.mark.parametrize("phase", ["clearing", "starting", "running", "failed", "stopping"])
def test_every_phase_but_stopped_may_have_left_something(rundir: Rundir, phase: str) -> None:
    """Also one that a newer daemon invents."""
    own = look(os.getpid())
    assert own
    for process in ({}, {"pid": own.pid, "start": own.start, "boot": boot_id()}):
        assert not keep(rundir, record(phase, **process)).clean
        assert not keep(rundir, record("novel", **process)).clean
        assert keep(rundir, record("stopped", **process)).clean


def test_the_main_process_is_known_by_pid_start_and_boot(rundir: Rundir) -> None:
    """Each of the three."""
    own = look(os.getpid())
    assert own
    right = keep(rundir, record("running", pid=own.pid, start=own.start, boot=boot_id()))
    later = keep(rundir, record("running", pid=own.pid, start=own.start + 1, boot=boot_id()))
    earlier = keep(rundir, record("running", pid=own.pid, start=own.start, boot="another"))
    assert later.living() == [] and earlier.clean
    if os.getsid(0) == os.getpid():
        assert own.pid in {process.pid for process in right.living()}


def test_members_seen_before_are_known_by_pid_and_start(rundir: Rundir) -> None:
    """A daemonized part of the service."""
    own = look(os.getpid())
    assert own
    fields = json.loads(record("running"))
    alive = keep(rundir, json.dumps({**fields, "members": {str(own.pid): own.start}}))
    gone = keep(rundir, json.dumps({**fields, "members": {str(own.pid): own.start - 1}}))
    assert own.pid in {process.pid for process in alive.living()} and gone.living() == []


@given(some.dictionaries(KEYS, JSON) | JSON)
def test_no_record_is_a_crash(fields: object) -> None:
    """It is of another version, half written, or somebody's joke."""
    remains = Remains("/x", fields if isinstance(fields, dict) else {})
    assert not remains.readable or isinstance(remains.phase, str)


@pytest.mark.parametrize("text", ["", "\0", "[1]", "null", "{", "[" * 100_000, '{"phase": "running"}'])
def test_what_is_no_record_is_neither_stopped_nor_running(rundir: Rundir, text: str) -> None:
    """It is not known."""
    remains = keep(rundir, text)
    assert not remains.readable and not remains.clean


def test_a_number_that_is_none_makes_no_crash(rundir: Rundir) -> None:
    """JSON as Python reads it has them."""
    whole = record("running", pid=4711, start=1, boot=boot_id())
    assert not keep(rundir, whole.replace("4711", "1e999")).readable


def test_a_record_is_marked_stopped_and_keeps_all_else(rundir: Rundir) -> None:
    """The daemon reads it again one day."""
    keep(rundir, json.dumps({**json.loads(record("running")), "journal": [1]})).mark_stopped()
    fields = json.loads(Path(rundir.record("web")).read_text())
    assert (fields["phase"], fields["journal"]) == ("stopped", [1])
    assert os.listdir(rundir.resources) == ["web.json"]


def test_marking_what_has_no_record_leaves_none(rundir: Rundir) -> None:
    """Nothing ran."""
    remains_of(rundir, "web").mark_stopped()
    assert os.listdir(rundir.resources) == []


def test_a_resource_is_found_under_whatever_port_knows_it(tmp_path: Path) -> None:
    """For calls whose port is unusable; other entries of the directory are passed over."""
    for name in ("9", "10", "x", "99999x"):
        os.makedirs(tmp_path / name / "resources")
    environ = {
        b"OCF_RESKEY_port": b"abc",
        b"OCF_RESKEY_state_dir": str(tmp_path).encode(),
        b"OCF_RESOURCE_INSTANCE": b"web",
    }
    assert relocated(Invocation(environ)) is None
    os.makedirs(tmp_path / "70000/resources")
    (tmp_path / "70000/resources/web.json").write_text("{}")
    assert relocated(Invocation(environ)) is None  # no port: a stop would look there again, and for ever
    (tmp_path / "10/resources/web.json").write_text("{}")
    found = relocated(Invocation(environ))
    assert found and (found.port, found.resource) == (10, "web")
    assert relocated(Invocation({**environ, b"OCF_RESKEY_state_dir": b"relative"})) is None
    assert relocated(Invocation({**environ, b"OCF_RESKEY_state_dir": b"/nonexistent"})) is None


def test_a_record_that_somebody_else_may_have_written_is_not_believed(tmp_path: Path) -> None:
    """It would choose whom root kills."""
    rundir = Rundir(str(tmp_path), 9909)
    os.makedirs(rundir.resources, 0o700)
    Path(rundir.record("web")).write_text("{}")
    os.chmod(rundir.resources, 0o777)  # noqa: S103 - that is the mistake
    with pytest.raises(ActionFailed, match="not to be trusted") as failed:
        remains_of(rundir, "web")
    assert failed.value.code == OCF_ERR_PERM


@pytest.mark.parametrize(
    ("definition", "elsewhere"),
    [
        ({"driver": "process"}, ""),
        ({"driver": "pidfile", "pidfile": "/run/x.pid"}, ""),
        ({"driver": "systemd", "unit": "x.service"}, "unit x.service"),
        ({"driver": "remote"}, "driver remote"),
    ],
)
def test_a_driver_of_ours_that_is_named_is_still_ours(definition: "dict[str, str]", elsewhere: str) -> None:
    """What it runs can be stopped without a daemon."""
    record = {"phase": "running", "incarnation": "i", "process": None, "members": {}, "definition": definition}
    assert Remains("web.json", record).elsewhere == elsewhere
