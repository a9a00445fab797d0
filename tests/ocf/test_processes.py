"""Who belongs to a service: enumerated over small process tables, and once against the real one."""

import itertools
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tocsin_ocf import processes
from tocsin_ocf.processes import MARK, Process, members, parse_stat

MAIN = (10, 100)
OCF = Path(processes.__file__).parents[1]


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


def test_the_session_that_a_member_leads_is_its_own() -> None:
    """A daemon's orphan: its parent is gone, the leader of its session has been seen before or carries the mark."""
    table = [process(20, session=20), process(21, session=20), process(22, session=21)]
    assert pids(table, known={20: 100}) == {20, 21}
    assert pids(table, found={20}) == {20, 21}
    assert pids(table[1:], known={20: 100}) == set()
    ended = [process(20, session=20, state="Z"), *table[1:]]
    assert pids(ended, known={20: 100}) == {21}
    assert pids([process(20, session=20, start=300), *table[1:]], known={20: 100}) == set()


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
            tied = row.pid == 10 or row.session == 10 or row.parent in {10, *inside}
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


def test_a_process_whose_first_thread_has_ended_is_alive() -> None:
    """It is shown as a zombie, but the others run; one of them may be what cannot be killed."""
    script = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start();"
        "print(flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, start_new_session=True) as child:
        assert child.stdout
        child.stdout.readline()
        seen = until_state(child.pid, "Z")
        assert seen.alive and seen.threads == 2
        assert [row.pid for row in members([seen], (child.pid, seen.start), {}, set())] == [child.pid]
        child.kill()


def until_state(pid: int, state: str) -> Process:
    """Wait until a process is in this state."""
    deadline = time.monotonic() + 10
    while True:
        seen = processes.look(pid)
        assert seen and time.monotonic() < deadline, f"{seen} is not {state}"
        if seen.state == state:
            return seen
        time.sleep(0.01)


@pytest.mark.parametrize("threaded", [False, True])
def test_uninterruptible_sleep_is_named_with_what_it_waits_on(tmp_path: Path, threaded: bool) -> None:
    """The parent of a vfork sleeps so until its child has executed something: here the child waits for a FIFO."""
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    call = "os.posix_spawn('/bin/true', ['true'], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 3, sys.argv[1], 0, 0)])"
    spawn = f"import os, sys, threading, time\ndef spawn(): {call}\n"
    how = "threading.Thread(target=spawn).start(); time.sleep(600)" if threaded else "spawn()"
    with subprocess.Popen([sys.executable, "-c", spawn + how, fifo], start_new_session=True) as stuck:
        deadline = time.monotonic() + 10
        seen = processes.observe(Process(stuck.pid, "stuck", "S", 1, 1, 1))
        while seen.state != "D" and time.monotonic() < deadline:
            row = processes.look(stuck.pid)
            assert row
            row.name = "stuck"
            seen = processes.observe(row)
        os.killpg(stuck.pid, signal.SIGKILL)
    assert re.fullmatch(rf"stuck\[{stuck.pid}\] D \(uninterruptible sleep( in \w+)?\)", repr(seen))


def test_the_evidence_is_bounded() -> None:
    """Twenty processes, and how many more; one that is gone has nothing to wait on."""
    gone = [process(2**22 + number) for number in range(30)]
    shown = processes.evidence(gone)
    assert len(shown) == 21
    assert shown[0] == f"p[{2**22}] S" and shown[-1] == "and 10 more"
    assert processes.evidence([]) == ()
    assert [one.waits_on for one in processes.observe_stuck([gone[0], process(2**22, state="D")])] == ["", ""]
    assert repr(process(7, state="D")) == "p[7] D (uninterruptible sleep)"


def test_a_process_that_executes_something_just_now_is_found_by_its_mark() -> None:
    """It has no environment for a moment; looked at right after its start it was missed every tenth time or so."""
    environ = {"PATH": os.environ["PATH"], MARK: "restless"}
    missed = 0
    for _ in range(200):
        with subprocess.Popen(["/bin/sh", "-c", "exec sleep 600"], env=environ, start_new_session=True) as child:
            row = processes.look(child.pid)
            assert row
            missed += processes.marked("restless", [row]) != {child.pid}
            child.kill()
    assert missed == 0


def test_our_own_process_is_never_a_member_by_its_mark() -> None:
    """Who runs the agent in a shell of the service does not want it to end itself."""
    script = (
        f"import sys; sys.path.insert(0, {str(OCF)!r}); from tocsin_ocf import processes;"
        "print(processes.marked('mine', processes.snapshot()))"
    )
    environ = {**os.environ, MARK: "mine"}
    said = subprocess.run([sys.executable, "-c", script], env=environ, stdout=subprocess.PIPE, check=True, text=True)
    assert said.stdout == "set()\n"


def test_a_signal_never_reaches_a_successor() -> None:
    """Signal 0 would be allowed, yet the start time says that it is somebody else."""
    own = processes.look(os.getpid())
    assert own and processes.send_signal(own, 0)
    assert not processes.send_signal(Process(own.pid, own.name, "S", own.parent, own.session, own.start + 1), 0)


def test_a_boot_has_a_name() -> None:
    """The same as long as it lasts."""
    assert len(processes.boot_id()) == 36 and processes.boot_id() == processes.boot_id()
