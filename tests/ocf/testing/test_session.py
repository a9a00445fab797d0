"""How the conformance run calls an agent: as Pacemaker's executor does, and so that even a bad one does no harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.good_agent import GOOD
from tests.requirements import require_program, require_root
from tocsin_ocf.testing import __main__ as command
from tocsin_ocf.testing.observed import Call, Observations
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.session import Unusable, observe

TOP = Path(__file__).resolve().parents[3]
VANDAL = """#!/bin/sh
for place in {places}; do touch $place/tocsin-vandal; done 2>/dev/null
mount -o remount,rw / && touch /usr/tocsin-vandal
echo 99 | tee /proc/sys/kernel/panic
kill -9 {pid} -1
hostname tocsin-vandal
mknod /tmp/disk b 254 0
setsid sleep 98766 >/dev/null 2>&1 &
"""
PLACES = ("/usr", "/etc", "/root", "/run", "/var", "/tmp", "/dev/shm", "/sys/fs/cgroup")
SPY = """#!/bin/sh
pwd
umask
readlink /proc/self/fd/0
cut -d' ' -f5 /proc/$$/stat | sed "s/^$$\\$/own group/"
ls /proc/self/fd | xargs # 3 is the directory itself
echo "${HOME-homeless} $LC_ALL"
sed -n 's/^Sig\\(Ign\\|Blk\\):.//p' /proc/self/status
"""


@pytest.fixture(autouse=True)
def needed() -> None:
    """Namespaces."""
    require_root()
    require_program("unshare")


def agent(place: Path, text: str) -> str:
    """Return the path of an agent with this text."""
    file = place / "good"
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def look(place: Path, text: str, **options: float) -> Observations:
    """Return what is seen of it without leave to start anything."""
    return observe(agent(place, text), Options(**options))  # type: ignore[arg-type]


def test_a_bad_agent_does_no_harm(tmp_path: Path) -> None:
    """It may write, kill, mount and linger as it likes, as root."""
    panic = Path("/proc/sys/kernel/panic").read_text()
    sentinel = subprocess.Popen(["sleep", "98767"])
    try:
        found = look(tmp_path, VANDAL.format(places=" ".join(PLACES), pid=sentinel.pid))
        assert sentinel.poll() is None
    finally:
        sentinel.kill()
        sentinel.wait()
    assert not [place for place in PLACES if Path(place, "tocsin-vandal").exists()]
    assert Path("/proc/sys/kernel/panic").read_text() == panic and os.uname().nodename != "tocsin-vandal"
    assert subprocess.run(["pgrep", "-f", "^sleep 98766"], check=False).returncode == 1
    made = " ".join(found.calls["meta-data"].made)
    assert "file /run/tocsin-vandal" in made and "sleep 98766" in made and "/usr" not in made
    assert "/tmp/disk" not in made


def test_a_call_is_made_as_the_executor_makes_it(tmp_path: Path) -> None:
    """Directory, umask, stdin, own process group, descriptors, no HOME, the locale, no signal ignored or blocked."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        where, *rest = look(tmp_path, SPY).calls["usage"].out.splitlines()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert where in ("/var/lib/pacemaker/cores", "/")
    assert rest == ["0026", "/dev/null", "own group", "0 1 2 3", "homeless C", "0" * 16, "0" * 16]


def test_a_call_that_does_not_end_is_killed_with_its_children(tmp_path: Path) -> None:
    """By SIGKILL to its process group, as at an operation's timeout."""
    call = look(tmp_path, "#!/bin/sh\nsleep 98768 &\nsleep 98768\n", timeout=0.3).calls["usage"]
    assert call.killed and call.code == -9 and call.left == ()


def test_a_flood_of_output_is_read_and_cut(tmp_path: Path) -> None:
    """An agent that prints without end blocks nobody, and fills no memory."""
    call = look(tmp_path, "#!/bin/sh\nhead -c 20000000 /dev/zero\n").calls["usage"]
    assert call.code == 0 and len(call.out) == 1 << 20


@pytest.mark.parametrize("text", ["", "#!/nonexistent/interpreter\n", "\x7fELF rubbish"])
def test_what_cannot_be_executed_is_reported(tmp_path: Path, text: str) -> None:
    """It is a deviation, no crash."""
    call = look(tmp_path, text).calls["meta-data"]
    assert call.code in (126, 127) and "cannot be executed" in call.err


def test_no_such_file_is_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 2, and a word of why."""
    with pytest.raises(Unusable):
        observe(str(tmp_path / "none"), Options())
    assert command.main([str(tmp_path / "none")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--kill", "true"], ["-o", "port"], ["--settle", "3"], []])
def test_wrong_words_are_usage(tmp_path: Path, words: list[str]) -> None:
    """What needs --run, is no pair, or names no agent."""
    with pytest.raises(SystemExit) as ended:
        command.main([*words, *([agent(tmp_path, GOOD)] if words else [])])
    assert ended.value.code == 2


def test_the_report_is_lines_or_json_and_the_status_says_whether_it_is_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same verdicts in both."""
    good = agent(tmp_path, GOOD)
    assert command.main([good]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith(" SKIP") and "0 FAIL" in lines[-1]
    assert command.main([good, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [f"{row['result']} {row['rule']}" for row in found["rules"]] == [
        " ".join(line.split()[:2]) for line in lines[:-1]
    ]
    assert (found["ocf"], found["isolated"]) == ("1.1", True)
    bad = agent(tmp_path, GOOD.replace("exit 3", "exit 1"))
    assert command.main([bad, "--no-probe"]) == 1
    assert "FAIL unknown-action" in capsys.readouterr().out


def test_without_root_it_looks_with_the_rights_it_has(tmp_path: Path) -> None:
    """No namespaces, no other users, no --run; and nothing is left of what it started to look."""
    shared = Path("/tmp", f"tocsin-test-{os.getpid()}")
    shared.mkdir(mode=0o755)
    try:
        own = GOOD.replace("sleep 98765", f"sleep 98{os.getpid()}")  # it sees the services of tests beside this one
        good = agent(shared, own.replace("state=/run/", f"state={shared}/"))
        words = ["/usr/bin/python3", "-B", "-m", "tocsin_ocf.testing", good]
        environ = {"PYTHONPATH": str(TOP / "ocf"), "PATH": "/usr/bin:/bin"}
        options = {"user": "nobody", "env": environ, "capture_output": True, "text": True, "cwd": "/"}
        done = subprocess.run(words, check=False, **options)  # type: ignore[call-overload]
        run = subprocess.run([*words, "--run"], check=False, **options)  # type: ignore[call-overload]
    finally:
        (shared / "good").unlink()
        shared.rmdir()
    if "No module named" in done.stderr:
        pytest.skip("nobody cannot read this checkout")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SKIP meta-data-unprivileged only root can call as nobody" in done.stdout
    assert run.returncode == 2 and "needs root" in run.stderr


def test_on_the_host_only_our_own_descendants_are_leftovers(tmp_path: Path) -> None:
    """Of all else there nobody could tell whose it is."""
    seen = observe(agent(tmp_path, "#!/bin/sh\nsetsid sleep 1 >/dev/null 2>&1 &\n"), Options(host=True))
    call = seen.calls["meta-data"]
    assert isinstance(call, Call) and not seen.isolated
    assert [one.split(" ", 2)[2] for one in call.made] == ["sleep 1"]


def test_the_command_tocsin_has_it(tmp_path: Path) -> None:
    """`tocsin test-agent` hands every option on."""
    environ = {**os.environ, "PYTHONPATH": f"{TOP / 'ocf'}:{TOP / 'daemon'}"}
    tocsin = [sys.executable, "-c", "from tocsin_daemon.cli import main; main()", "test-agent"]
    words = [agent(tmp_path, GOOD), "-o", "port=http", "-o", "mode=deep", "--no-probe", "--timeout", "30", "--json"]
    done = subprocess.run([*tocsin, *words], env=environ, capture_output=True, text=True, check=False)
    found = {row["rule"]: row["result"] for row in json.loads(done.stdout)["rules"]}
    assert (done.returncode, found["validate-accepts"], found["probe"]) == (1, "FAIL", "SKIP")
    refused = subprocess.run(
        [*tocsin, words[0], "--kill", "x"], env=environ, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2 and "need --run" in refused.stderr
