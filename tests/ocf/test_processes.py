"""Who belongs to a service: enumerated over small process tables, and once against the real one."""

import itertools
import os
import subprocess
import sys

import pytest

from tocsin_ocf import processes
from tocsin_ocf.processes import MARK, Process, members, parse_stat

MAIN = (10, 100)


def stat(pid: int, name: str) -> str:
    """Return /proc/PID/stat as Linux prints it."""
    return f"{pid} ({name}) S 7 8 9 " + " ".join(map(str, range(7, 53)))


@pytest.mark.parametrize("name", ["sleep", "a b", ")", "(", "a) S 1 (b", ") R 1 1 1", "", "\udcff", "(sd-pam)"])
def test_a_process_may_have_any_name(name: str) -> None:
    """It chooses it itself."""
    process = parse_stat(stat(42, name))
    assert (process.pid, process.name, process.state) == (42, name, "S")
    assert (process.parent, process.session, process.start) == (7, 9, 22)


@pytest.mark.parametrize(
    ("state", "alive"), [("R", True), ("S", True), ("D", True), ("T", True), ("Z", False), ("X", False)]
)
def test_a_zombie_is_not_alive(state: str, alive: bool) -> None:
    """Only its name is left."""
    assert process(1, state=state).alive is alive


def process(pid: int, *, parent: int = 1, session: int = 1, start: int = 100, state: str = "S") -> Process:
    """Return a row of a process table."""
    return Process(pid, "p", state, parent, session, start)


def pids(table: "list[Process]", **more: object) -> "set[int]":
    """Return the members' pids."""
    return {one.pid for one in members(table, MAIN, more.get("known", {}), more.get("found", set()))}


def test_the_session_and_all_descendants_are_members() -> None:
    """Children in other sessions included, to any depth, in any order of the table."""
    family = [process(10, session=10), process(11, session=10), process(12, parent=11, session=12)]
    strangers = [process(1), process(99, session=99)]
    deeper = [process(13, parent=12, session=13), process(14, parent=13, session=13)]
    for table in itertools.permutations([*family, *deeper, *strangers]):
        assert pids(list(table)) == {10, 11, 12, 13, 14}


def test_the_session_counts_as_long_as_its_leader_is_a_zombie() -> None:
    """Until then its number is nobody else's."""
    assert pids([process(10, session=10, state="Z"), process(11, session=10)]) == {11}


def test_the_session_of_a_successor_does_not_count() -> None:
    """The main process is gone, and its pid leads somebody else's session."""
    assert pids([process(10, session=10, start=200), process(11, session=10, start=200)]) == set()


def test_what_was_seen_before_stays_a_member_under_its_start_time() -> None:
    """The leader is gone; a pid with another start time is a stranger."""
    table = [process(11, session=10), process(12, session=10, start=300), process(13, parent=11)]
    assert pids(table, known={11: 100, 12: 100}) == {11, 13}


def test_what_carries_the_mark_is_a_member() -> None:
    """A daemon that left its session, and lost its parent."""
    assert pids([process(20, session=20)], found={20}) == {20}


def test_no_table_makes_a_member_of_the_dead_or_of_nobody() -> None:
    """Over all tables of two processes: members are living rows, and a row without a tie is none."""
    rows = [
        process(p, parent=q, session=s, state=t) for p in (10, 11) for q in (1, 10, 11) for s in (1, 10) for t in "SZ"
    ]
    for one, other in itertools.product(rows, rows):
        if one.pid == other.pid:
            continue
        inside = pids([one, other])
        assert inside <= {row.pid for row in (one, other) if row.alive}
        for row in (one, other):
            tied = row.pid == 10 or row.session == 10 or row.parent in inside
            assert row.pid not in inside or tied or (row.pid, row.start) == MAIN


def test_the_real_process_table_shows_a_child_with_its_mark() -> None:
    """Once against Linux itself."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    environ = {**os.environ, MARK: "this-one"}
    with subprocess.Popen(command, env=environ, stdin=-1, stdout=-1, start_new_session=True) as child:
        assert child.stdin and child.stdout
        child.stdout.readline()
        table = processes.snapshot()
        seen = next(row for row in table if row.pid == child.pid)
        assert (seen.parent, seen.session, seen.alive) == (os.getpid(), child.pid, True)
        assert processes.marked("this-one", table) == {child.pid}
        assert processes.marked("this", table) == set()
        assert [row.pid for row in members(table, (child.pid, seen.start), {}, set())] == [child.pid]
        child.stdin.close()
    assert processes.look(child.pid) is None
    assert not processes.send_signal(seen, 0)


def test_a_signal_never_reaches_a_successor() -> None:
    """Signal 0 would be allowed, yet the start time says that it is somebody else."""
    own = processes.look(os.getpid())
    assert own and processes.send_signal(own, 0)
    assert not processes.send_signal(Process(own.pid, own.name, "S", own.parent, own.session, own.start + 1), 0)


def test_a_boot_has_a_name() -> None:
    """The same as long as it lasts."""
    assert len(processes.boot_id()) == 36 and processes.boot_id() == processes.boot_id()
