"""`stop`: 0 when nothing is left, and only then; a failed stop fences the node."""

import json
import sys

import pytest

from tests.fakes.daemon import FrozenDaemon, MakeDaemon, record, says
from tests.fakes.executor import Agent, Service
from tocsin_ocf.processes import MARK, boot_id, look

SHORT = {"OCF_RESKEY_CRM_meta_timeout": "600"}
DEAF = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.write(1, b'x'); time.sleep(1000)"


def phase(agent: Agent) -> str:
    """Return the phase in the record."""
    return str(json.loads((agent.rundir / "resources/web.json").read_text())["phase"])


def test_the_daemon_stops_the_service(agent: Agent, daemon: MakeDaemon) -> None:
    """It is told how long it may take."""
    made = daemon(says(0))
    done = agent("stop")
    assert done.code == 0 and done.silent
    ((verb, resource, body),) = made.asked
    assert (verb, resource, list(body)) == ("STOP", "web", ["timeout"]) and 17000 < body["timeout"] <= 18000


def test_what_the_daemon_could_not_end_is_a_failed_stop(agent: Agent, daemon: MakeDaemon) -> None:
    """With its words."""
    daemon(says(1, "still there: java[77] D"))
    done = agent("stop")
    assert (done.code, done.reason) == (1, "still there: java[77] D")


@pytest.mark.parametrize("code", [5, 7])
def test_a_stop_never_says_not_installed_or_not_running(agent: Agent, daemon: MakeDaemon, code: int) -> None:
    """Pacemaker takes both for a failed stop, and a reader for a stopped service."""
    daemon(says(code, "odd"))
    assert agent("stop").code == 1


@pytest.mark.parametrize(
    "text", [None, record("stopped", pid=1, start=1), record("running", pid=1, start=1, boot="another")]
)
def test_what_does_not_run_is_stopped(agent: Agent, text: "str | None") -> None:
    """Without a daemon, and twice as well as once."""
    if text:
        agent.keep(text)
    for _ in range(2):
        done = agent("stop")
        assert done.code == 0 and done.silent


def test_a_service_that_died_with_its_daemon_is_stopped(agent: Agent, service: Service) -> None:
    """The process table says so; no daemon is needed."""
    agent.keep(service.record())
    service.process.kill()
    service.process.wait()
    done = agent("stop")
    assert (done.code, done.silent, phase(agent)) == (0, True, "stopped")


def test_a_new_daemon_stops_what_a_dead_one_left(agent: Agent, service: Service) -> None:
    """It knows the service's own way to end."""
    agent.keep(service.record())
    agent.with_program("ready", code=0)
    assert agent("stop").code == 0
    assert b" STOP web " in (agent.rundir / "asked").read_bytes()


def test_without_a_program_to_start_the_agent_ends_the_service_itself(agent: Agent, service: Service) -> None:
    """The package was removed while it ran: no reason to fence the node."""
    agent.keep(service.record())
    done = agent("stop")
    assert (done.code, done.silent, phase(agent)) == (0, True, "stopped")
    assert service.process.wait(5) == -15


def test_what_ignores_a_polite_signal_is_killed(agent: Agent) -> None:
    """Inside the operation's timeout."""
    deaf = Service([sys.executable, "-IS", "-c", DEAF])
    assert deaf.process.stdout and deaf.process.stdout.read(1) == b"x"
    agent.keep(deaf.record())
    done = agent("stop", variables={"OCF_RESKEY_CRM_meta_timeout": "1000"})
    code = deaf.process.wait(5)
    deaf.end()
    assert (done.code, code) == (0, -9)


def test_a_daemonized_part_of_the_service_is_ended_too(agent: Agent) -> None:
    """It left the session and its parent died; the mark in its environment tells."""
    script = "setsid sleep 1000 & echo $!; exec sleep 1000"
    service = Service(["sh", "-c", script])
    assert service.process.stdout
    pid = int(service.process.stdout.readline())
    agent.keep(service.record())
    done = agent("stop")
    service.end()
    left = look(pid)
    assert done.code == 0 and not (left and left.alive)


def test_a_successor_of_the_pid_is_left_alone(agent: Agent, service: Service) -> None:
    """Its start time differs: the service is gone, and somebody else has its number."""
    agent.keep(record("running", pid=service.process.pid, start=service.start - 1, boot=boot_id(), incarnation="other"))
    assert agent("stop").code == 0
    assert service.process.poll() is None


def test_a_frozen_daemon_fails_no_stop(agent: Agent, frozen: FrozenDaemon, service: Service) -> None:
    """It is killed, and without a program to replace it the agent ends the service by itself."""
    agent.keep(service.record())
    done = agent("stop")
    assert done.code == 0
    assert frozen.process.wait(5) == -9
    assert service.process.wait(5) == -15


def test_a_squatter_does_not_keep_a_stopped_resource_from_being_stopped(agent: Agent, daemon: MakeDaemon) -> None:
    """It has nothing to do with it."""
    daemon(says(1, proof="x" * 32), pid=1)
    done = agent("stop")
    assert done.code == 0 and done.silent


def test_behind_a_squatter_the_agent_ends_the_service_itself(
    agent: Agent, daemon: MakeDaemon, service: Service
) -> None:
    """Our daemon is gone, and cannot come back on this port."""
    daemon(says(0, proof="x" * 32), pid=1)
    agent.keep(service.record())
    assert agent("stop").code == 0
    assert service.process.wait(5) == -15


def test_where_nobody_knows_what_runs_the_stop_fails_and_says_where_to_look(agent: Agent) -> None:
    """0 would allow a second copy elsewhere."""
    agent.keep("{")
    done = agent("stop")
    assert done.code == 1 and "web.json" in done.err


@pytest.mark.parametrize(
    ("name", "value"), [("port", "abc"), ("state_dir", "x"), ("daemon", "y"), ("stop_signal", "NIX")]
)
def test_bad_parameters_do_not_fail_the_stop_of_what_never_ran(agent: Agent, name: str, value: str) -> None:
    """They failed its start, and stop is what Pacemaker calls next."""
    done = agent("stop", parameters={name: value})
    assert done.code == 0 and done.silent


def test_with_a_bad_port_the_stop_goes_where_the_resource_is_known(agent: Agent, daemon: MakeDaemon) -> None:
    """It runs there."""
    made = daemon(says(0))
    agent.keep(record("running", pid=1, start=1, boot=boot_id()))
    assert agent("stop", parameters={"port": "abc"}).code == 0
    assert made.asked[0][0] == "STOP"


def test_a_stop_without_a_name_is_2(agent: Agent) -> None:
    """Not 7, and not 0: it is not known what to stop."""
    assert agent("stop", variables={"OCF_RESOURCE_INSTANCE": None}).code == 2


def test_the_mark_is_what_the_daemon_sets() -> None:
    """And what services have that a daemon of before an upgrade has started."""
    assert MARK == "TOCSIN_INCARNATION"
