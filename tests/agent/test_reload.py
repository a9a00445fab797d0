"""`reload-agent`: what changed goes to the daemon. And services that are no processes, without a daemon."""

from __future__ import annotations

import json

import pytest

from tests.fakes.daemon import MakeDaemon, record, says
from tests.fakes.executor import Agent
from tests.requirements import require_root


@pytest.fixture(autouse=True)
def root() -> None:
    """Go on as root, as Pacemaker does."""
    require_root()


def of_a_unit(phase: str, **definition: str) -> str:
    """Return the record of a service without a main process of ours."""
    return json.dumps({**json.loads(record(phase)), "process": None, "definition": definition})


def test_the_daemon_gets_the_definition_as_at_a_start(agent: Agent, daemon: MakeDaemon) -> None:
    """It compares."""
    made = daemon(says(0))
    done = agent("reload-agent", parameters={"command": "sleep 1", "stop_timeout": "3s"})
    assert done.code == 0 and done.silent
    ((verb, resource, body),) = made.asked
    assert (verb, resource, body["definition"]["stop_timeout"]) == ("RELOAD", "web", 3.0)


def test_what_waits_for_a_restart_is_said_though_the_reload_succeeded(agent: Agent, daemon: MakeDaemon) -> None:
    """The administrator reads it in the exit reason."""
    daemon(says(0, "needs a restart: user"))
    done = agent("reload-agent", parameters={"command": "sleep 1"})
    assert (done.code, done.reason) == (0, "needs a restart: user")


def test_a_slip_of_the_pen_does_not_restart_a_service(agent: Agent, daemon: MakeDaemon) -> None:
    """A failed reload would."""
    made = daemon(says(0))
    done = agent("reload-agent", parameters={"command": "sleep 1", "stop_timeout": "soon"})
    assert done.code == 0
    assert "the old definition stays: parameter stop_timeout" in done.reason
    assert made.asked == []


def test_what_does_not_fit_into_a_request_does_not_restart_a_service(agent: Agent, daemon: MakeDaemon) -> None:
    """A character may take six bytes in JSON."""
    made = daemon(says(0))
    long = dict.fromkeys(("promote_command", "demote_command", "notify_command"), "é" * 60_000)
    done = agent("reload-agent", parameters={"command": "sleep 1", **long})
    assert (done.code, made.asked) == (0, []) and done.err.count("\n") == 1
    assert done.reason.startswith("the old definition stays: a request of 1")


def test_without_a_daemon_nothing_is_applied_and_nothing_fails(agent: Agent) -> None:
    """The next monitor starts one; the next start brings the definition."""
    done = agent("reload-agent", parameters={"command": "sleep 1"})
    assert done.code == 0
    assert "not applied yet" in done.reason


def test_a_unit_is_never_said_to_be_stopped_because_no_process_of_ours_runs(agent: Agent) -> None:
    """Nothing but systemd, or the daemon, can tell."""
    agent.keep(of_a_unit("running", driver="remote"))
    done = agent("stop")
    assert done.code == 1
    assert "only tocsind can stop what driver remote runs" in done.reason


def test_a_unit_that_was_well_is_unwatched_not_dead_without_a_daemon(agent: Agent) -> None:
    """As with a process: the daemon's death is not the service's."""
    agent.keep(of_a_unit("running", unit="web.service"))
    assert agent.recurring().code == 190


def test_a_unit_that_was_stopped_is_stopped(agent: Agent) -> None:
    """Whoever stopped it looked."""
    agent.keep(of_a_unit("stopped", unit="web.service"))
    assert agent("stop").code == 0
    assert agent.probe().code == 7
