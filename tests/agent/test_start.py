"""`start`: everything that the daemon needs, and a daemon where there is none."""

import json
import os
from pathlib import Path

import pytest

from tests.fakes.daemon import FakeDaemon, MakeDaemon, says
from tests.fakes.executor import Agent
from tests.fakes.patience import ended
from tests.requirements import require_root
from tocsin_ocf.definition import Definition

SHORT = {"OCF_RESKEY_CRM_meta_timeout": "1000"}


@pytest.fixture(autouse=True)
def root() -> None:
    """Go on as root, for a start needs it."""
    require_root()


@pytest.fixture(autouse=True)
def command(agent: Agent) -> None:
    """Give every resource something to run."""
    agent.parameters["command"] = "sh -c 'exec sleep 1'"


def test_the_daemon_gets_everything_it_needs(agent: Agent, daemon: MakeDaemon) -> None:
    """It has no OCF defaults of its own."""
    made = daemon(says(0))
    done = agent("start", parameters={"user": "root", "stop_signal": "INT", "stop_timeout": "2m", "directory": "/tmp"})
    assert done.code == 0 and done.silent
    ((verb, resource, body),) = made.asked
    assert (verb, resource) == ("START", "web")
    assert 17000 < body.pop("timeout") <= 18000
    definition = body.pop("definition")
    assert body.pop("environment") == {
        "OCF_RESOURCE_INSTANCE": "web",
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "OCF_RESKEY_CRM_meta_on_node": "node1",
    }
    assert body == {"node": "node1"}
    assert definition == {
        **Definition().as_dict(),
        "command": ["sh", "-c", "exec sleep 1"],
        "user": "root",
        "directory": "/tmp",
        "stop_signal": 2,
        "stop_timeout": 120.0,
    }


def test_a_file_that_defines_the_service_goes_by_its_path(agent: Agent, daemon: MakeDaemon, tmp_path: Path) -> None:
    """The daemon reads it; the agent's Python has no YAML."""
    config = tmp_path / "web.yaml"
    config.write_text("command: x\n")
    made = daemon(says(0))
    assert agent("start", parameters={"config": str(config), "command": ""}).code == 0
    assert (made.asked[0][2]["config"], "definition" in made.asked[0][2]) == (str(config), False)


def test_a_start_outside_a_cluster_knows_no_node(agent: Agent, daemon: MakeDaemon) -> None:
    """As by hand: crm_node has no answer, or is not there."""
    made = daemon(says(0))
    assert agent("start", variables={"OCF_RESKEY_CRM_meta_on_node": None}).code == 0
    assert made.asked[0][2]["node"] == ""


@pytest.mark.parametrize("code", [1, 4, 5, 6])
def test_a_start_that_fails_says_why(agent: Agent, daemon: MakeDaemon, code: int) -> None:
    """In the daemon's words."""
    daemon(says(code, "exited with 2: bind: address in use"))
    done = agent("start")
    assert (done.code, done.reason) == (code, "exited with 2: bind: address in use")


def test_without_a_daemon_one_is_started(agent: Agent) -> None:
    """And asked, in the same call."""
    agent.with_program("ready", code=0, requests=2)
    for _ in range(2):
        done = agent("start")
        assert done.code == 0 and done.silent
    assert (agent.rundir / "asked").read_bytes().count(b" START web ") == 2


def test_the_daemon_inherits_nothing_of_the_agent(agent: Agent) -> None:
    """It outlives the agent, the executor and Pacemaker."""
    agent.with_program("ready", code=0)
    readable, writable = os.pipe()
    os.set_inheritable(writable, True)
    agent("start")
    os.close(readable), os.close(writable)
    started = json.loads((agent.rundir / "started.json").read_text())
    assert started["leads_session"] and started["cwd"] == "/" and started["umask"] == 0o077
    assert set(started["environ"]) - {"LC_CTYPE"} == {"PATH", "LC_ALL", "NOTIFY_SOCKET"}
    assert started["fds"].count("/dev/null") == 1 and started["fds"].count(str(agent.rundir / "tocsind.out")) == 2
    assert not [name for name in started["fds"] if name.startswith("pipe:")]


def test_the_daemon_is_called_with_port_state_directory_and_log(agent: Agent) -> None:
    """What the administrator adds comes last, and so overrides."""
    agent.with_program("ready", code=0)
    agent("start")
    argv = json.loads((agent.rundir / "started.json").read_text())["argv"]
    port, state_dir = agent.parameters["port"], str(agent.state_dir)
    log = f"/var/log/tocsin/tocsind-{port}.log"
    assert argv[:6] == ["--port", port, "--state-dir", state_dir, "--log-file", log]
    assert argv[6:] == ["--play", "ready", "--code", "0"]


def test_the_run_directory_is_for_root_alone(agent: Agent) -> None:
    """It will hold the secrets."""
    agent.with_program("ready", code=0)
    agent("start")
    modes = [path.stat().st_mode & 0o7777 for path in (agent.rundir, agent.rundir / "tocsind.out")]
    assert modes == [0o700, 0o600]


def test_why_a_daemon_cannot_start_is_the_reason(agent: Agent) -> None:
    """What it said in a STATUS."""
    agent.with_program("fail", text="no space left on device")
    done = agent("start")
    assert (done.code, done.reason) == (1, "tocsind cannot be started: no space left on device")


def test_the_last_words_of_a_daemon_that_died_are_the_reason(agent: Agent) -> None:
    """It never came as far as a STATUS."""
    agent.with_program("die")
    done = agent("start")
    assert (done.code, done.reason) == (1, "tocsind cannot be started: ImportError: no twisted")


def test_a_squatter_where_no_daemon_ever_was_is_named(agent: Agent, daemon: MakeDaemon) -> None:
    """Its port is the reason why our daemon cannot start."""
    made = daemon(says(0), pid=1)
    os.unlink(made.rundir.secret)
    agent.with_program("fail", text="cannot listen")
    done = agent("start")
    assert done.code == 1 and made.asked == []
    assert f"port {made.port} is held by " in done.reason and f"[{os.getpid()}] of user root" in done.reason


def test_a_squatter_on_a_dead_daemons_port_is_named(agent: Agent, daemon: MakeDaemon) -> None:
    """It keeps ours from listening."""
    daemon(says(0, proof="x" * 32), pid=1)
    agent.with_program("fail", text="cannot listen")
    done = agent("start")
    assert done.code == 1 and "not by our daemon" in done.reason


def test_another_daemon_that_is_just_starting_is_waited_for(agent: Agent) -> None:
    """Two resources start at once; here it never listens, and the reason says so in time."""
    agent.with_program("taken")
    done = agent("start", variables=SHORT)
    assert (done.code, done.reason) == (1, "tocsind holds its lock but does not listen")


def test_a_daemon_that_never_gets_ready_is_an_error_in_time(agent: Agent) -> None:
    """And not Pacemaker's timeout, which throws the reason away."""
    agent.with_program("silent")
    done = agent("start", variables=SHORT)
    pid = int((agent.rundir / "silent").read_text())
    assert ended(pid)  # or each try would leave one more
    assert (done.code, done.reason) == (1, f"tocsind (pid {pid}) was started, but does not get ready")


def test_a_missing_daemon_is_5_and_names_its_parameter(agent: Agent) -> None:
    """Another node may have it."""
    done = agent("start")
    assert (done.code, done.reason) == (5, "parameter daemon: /nonexistent/tocsind: no such file or directory")


@pytest.mark.parametrize(
    ("parameters", "code", "reason"),
    [
        ({"command": ""}, 6, "parameter command: missing"),
        ({"command": "a 'b"}, 6, "parameter command: no closing quotation; "),
        ({"port": "x"}, 6, "parameter port: 'x' is wrong; use a number"),
        ({"config": "/x"}, 6, "parameter config: the file alone defines the service; remove command"),
        ({"config": "x", "command": ""}, 6, "parameter config: 'x' is wrong; use an absolute path"),
        ({"config": "/nonexistent", "command": ""}, 5, "parameter config: /nonexistent: no such file"),
        ({"daemon": "tocsind"}, 6, "parameter daemon: 'tocsind' is wrong; use an absolute path"),
        ({"daemon_args": "'"}, 6, 'parameter daemon_args: "\'" is wrong; close the quote'),
        ({"command": "/nonexistent/x"}, 5, "parameter command: /nonexistent/x: no such file"),
        ({"command": "no-such-program"}, 5, "parameter command: no program no-such-program in /usr/local/sbin:"),
        ({"command": "/etc/passwd"}, 4, "parameter command: /etc/passwd is not an executable file"),
        ({"user": "no-such-user"}, 5, "parameter user: there is no user no-such-user on this node"),
        ({"directory": "/nonexistent"}, 5, "parameter directory: /nonexistent: no such file"),
    ],
)
def test_what_cannot_start_is_refused_before_anything_is_asked(
    agent: Agent, daemon: MakeDaemon, parameters: "dict[str, str]", code: int, reason: str
) -> None:
    """6 where no node could, 5 or 4 where this one cannot."""
    made = daemon(says(0))
    done = agent("start", parameters=parameters)
    assert (done.code, made.asked) == (code, []) and done.reason.startswith(reason)


def test_a_run_directory_that_others_can_enter_is_refused(agent: Agent) -> None:
    """They could have put anything there."""
    agent.with_program("ready", code=0)
    agent.rundir.mkdir()
    for mode, owner in ((0o755, 0), (0o700, 65534)):
        agent.rundir.chmod(mode)
        os.chown(agent.rundir, owner, owner)
        done = agent("start")
        assert done.code == 4 and "is open to other users" in done.reason


def test_a_run_directory_that_is_a_link_is_refused(agent: Agent, tmp_path: Path) -> None:
    """It may lead anywhere tomorrow."""
    agent.with_program("ready", code=0)
    agent.rundir.symlink_to(tmp_path)
    done = agent("start")
    assert done.code == 4 and "is open to other users" in done.reason


def test_an_unprivileged_start_is_4(public: Agent) -> None:
    """It could not change users, nor outlive the session."""
    made = FakeDaemon(public.state_dir, says(0))
    public.with_daemon(made)
    done = public("start", parameters={"command": "sleep 1"}, user=65534)
    made.close()
    assert (done.code, done.reason, made.heard) == (4, "start of web needs root", [])


def test_old_output_of_daemons_does_not_grow_for_ever(agent: Agent) -> None:
    """Last words are kept, but not all that ever were."""
    agent.with_program("die")
    agent("start")
    out = agent.rundir / "tocsind.out"
    out.write_bytes(b"x" * 2_000_000)
    done = agent("start")
    assert done.reason == "tocsind cannot be started: ImportError: no twisted" and out.stat().st_size < 100


def test_a_file_system_that_refuses_is_a_reason(agent: Agent) -> None:
    """Not a trace."""
    agent.with_program("ready", code=0)
    agent("start")
    (agent.rundir / "tocsind.out").unlink()
    (agent.rundir / "tocsind.out").mkdir()
    done = agent("start")
    assert done.code == 1 and done.err.count("\n") == 1 and "Is a directory" in done.reason
