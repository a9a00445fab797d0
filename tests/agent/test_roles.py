"""`promote`, `demote`, `notify`: the daemon's answers, and what is true of a role where it gives none."""

from __future__ import annotations

import json
import os

import pytest

from tests.fakes.daemon import FakeDaemon, FrozenDaemon, MakeDaemon, record, says
from tests.fakes.executor import RESOURCE, Agent, Service
from tests.requirements import require_root
from tocsin_ocf.processes import boot_id

ACTIONS = ("promote", "demote", "notify")
NOTIFY = {
    "OCF_RESKEY_CRM_meta_notify_type": "pre",
    "OCF_RESKEY_CRM_meta_notify_operation": "demote",
    "OCF_RESKEY_CRM_meta_notify_demote_resource": "web:0 ",
    "OCF_RESKEY_CRM_meta_notify_demote_uname": "größe\n",
}
ANOTHER_BOOT = "00000000-0000-0000-0000-000000000000"
TOO_LONG = {f"OCF_RESKEY_CRM_meta_notify_x{number}": "x" * 100_000 for number in range(11)}
"""More than a request may hold; one variable may have 128 KiB, says the kernel."""


@pytest.fixture(autouse=True)
def root() -> None:
    """Go on as root, as Pacemaker does."""
    require_root()


@pytest.mark.parametrize("action", ACTIONS)
def test_the_daemon_gets_the_operations_environment_and_its_time(agent: Agent, daemon: MakeDaemon, action: str) -> None:
    """All that Pacemaker says, however it is spelled; and nothing of the parameters, which may be faulty by now."""
    made = daemon(says(0))
    done = agent(action, parameters={"command": "'", "config": "x"}, variables=NOTIFY)
    assert done.code == 0 and done.silent
    ((verb, resource, body),) = made.asked
    assert (verb, resource, set(body)) == (action.upper(), RESOURCE, {"timeout", "environment"})
    assert 17000 < body["timeout"] <= 18000
    assert body["environment"] == {
        "OCF_RESOURCE_INSTANCE": RESOURCE,
        "OCF_RESKEY_CRM_meta_timeout": "20000",
        "OCF_RESKEY_CRM_meta_on_node": "node1",
        **NOTIFY,
    }


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", [1, 3, 7, 8, 9])
def test_the_daemons_code_and_reason_are_the_agents(agent: Agent, daemon: MakeDaemon, action: str, code: int) -> None:
    """It knows what came of it."""
    daemon(says(code, "promote_command: read-only"))
    done = agent(action)
    assert (done.code, done.reason) == (code, "promote_command: read-only")


@pytest.mark.parametrize(("code", "text"), [(8, ""), (9, "killed by signal 9"), (191, "lag 40 s")])
def test_a_monitor_tells_what_is_promoted(agent: Agent, daemon: MakeDaemon, code: int, text: str) -> None:
    """In silence where all is well."""
    daemon(says(code, text))
    done = agent("monitor", variables={"OCF_RESKEY_CRM_meta_interval": "59000"})
    assert (done.code, done.reason, done.silent) == (code, text, not text)


@pytest.mark.parametrize(("action", "code"), [("start", 1), ("promote", 1), ("demote", 1), ("notify", 0)])
def test_what_does_not_fit_into_a_request_is_said(agent: Agent, daemon: MakeDaemon, action: str, code: int) -> None:
    """Without a trace."""
    made = daemon(says(0))
    done = agent(action, parameters={"command": "sleep 1"}, variables=TOO_LONG)
    assert (done.code, made.asked) == (code, []) and done.err.count("\n") == 1
    assert done.reason.startswith("a request of 11") and done.reason.endswith("bytes is longer than 1048576")


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_without_a_daemon_one_is_started_and_asked(agent: Agent, service: Service, action: str) -> None:
    """It takes the service up again."""
    agent.keep(service.record("promoted"))
    agent.with_program("ready", code=0)
    done = agent(action)
    assert done.code == 0 and done.silent
    assert f" {action.upper()} web ".encode() in (agent.rundir / "asked").read_bytes()
    assert service.process.poll() is None


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_a_frozen_daemon_is_replaced(agent: Agent, frozen: FrozenDaemon, service: Service, action: str) -> None:
    """A role is asked of one that answers."""
    agent.keep(service.record("promoted"))
    agent.with_program("ready", code=0)
    done = agent(action, variables={"OCF_RESKEY_CRM_meta_timeout": "4000"})
    assert done.code == 0 and done.silent
    assert frozen.process.wait(5) == -9


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_a_role_that_nobody_can_change_is_a_failure_with_its_reason(
    agent: Agent, service: Service, action: str
) -> None:
    """0 would be a second primary."""
    agent.keep(service.record("promoted"))
    done = agent(action)
    assert done.code == 5 and done.reason.startswith("parameter daemon: /nonexistent/tocsind:")
    assert service.process.poll() is None


@pytest.mark.parametrize("action", ["promote", "demote"])
def test_a_squatter_is_not_believed(agent: Agent, daemon: MakeDaemon, service: Service, action: str) -> None:
    """It has not demoted anything."""
    made = daemon(says(0, proof="x" * 32), pid=1)
    agent.keep(service.record("promoted"))
    agent.with_program("fail", text="cannot listen")
    done = agent(action)
    assert (done.code, made.heard) == (1, []) and "not by our daemon" in done.reason


@pytest.mark.parametrize(
    "text", [None, record("stopped", pid=1, start=1), record("promoted", pid=1, start=1, boot=ANOTHER_BOOT)]
)
def test_what_does_not_run_is_demoted(agent: Agent, text: str | None) -> None:
    """And no daemon is started to say so."""
    if text:
        agent.keep(text)
    done = agent("demote")
    assert done.code == 0 and done.silent


def test_nobody_knows_whether_a_corrupt_record_is_of_a_primary(agent: Agent) -> None:
    """The daemon is asked, and here there is none."""
    agent.keep("{")
    assert agent("demote").code == 5


def test_a_demotion_goes_where_the_resource_is_known(agent: Agent, daemon: MakeDaemon) -> None:
    """As a stop does, whatever became of the parameter port; what is known nowhere has no role."""
    made = daemon(says(0))
    assert agent("demote", parameters={"port": "abc"}).code == 0
    assert made.asked == []
    agent.keep(record("promoted", pid=1, start=1, boot=boot_id()))
    assert agent("demote", parameters={"port": "abc"}).code == 0
    assert made.asked[0][0] == "DEMOTE"


def test_no_node_can_promote_with_a_bad_port(agent: Agent) -> None:
    """6, as at a start."""
    done = agent("promote", parameters={"port": "abc"})
    assert done.code == 6 and done.reason.startswith("parameter port: 'abc' is wrong")


def test_a_notification_starts_no_daemon(agent: Agent, service: Service) -> None:
    """Nobody has to know, and in silence: it happens at every transition."""
    agent.keep(service.record("promoted"))
    agent.with_program("ready", code=1)
    for parameters in ({}, {"port": "abc"}):
        done = agent("notify", parameters=parameters)
        assert done.code == 0 and done.silent
    assert not (agent.rundir / "asked").exists()


def test_a_notification_replaces_no_daemon(agent: Agent, frozen: FrozenDaemon) -> None:
    """That is for who has to have an answer; this one cannot fail, but says what went wrong."""
    done = agent("notify", variables={"OCF_RESKEY_CRM_meta_timeout": "600"})
    assert done.code == 0 and "does not answer" in done.reason
    assert frozen.process.poll() is None


@pytest.mark.parametrize("action", ACTIONS)
def test_an_unprivileged_user_changes_no_role(public: Agent, action: str) -> None:
    """The run directory is closed to them."""
    made = FakeDaemon(public.state_dir, says(0))
    public.with_daemon(made)
    public.keep(record("promoted", pid=1, start=1))
    done = public(action, user=65534)
    made.close()
    assert (done.code, made.heard) == (4, []) and done.reason


@pytest.mark.parametrize(
    ("phase", "role", "code"),
    [
        ("running", "", 190),
        ("promoted", "promoted", 191),
        ("promoting", "promoted", 9),
        ("starting", "", 1),
        ("demoting", "promoted", 9),
        ("failed", "promoted", 9),
        ("failed", "", 1),
        ("restarting", "", 1),
    ],
)
def test_what_a_monitor_says_of_a_role_where_no_daemon_can_be_had(
    agent: Agent, service: Service, phase: str, role: str, code: int
) -> None:
    """A primary that runs unwatched stays one; only what was well may be said to be."""
    agent.keep(json.dumps({**json.loads(service.record(phase)), "role": role}))
    done = agent.recurring()
    assert done.code == code
    assert done.reason.startswith("service runs, but " if code > 100 else "service failed, remains of it run, and ")


@pytest.mark.parametrize(("phase", "code"), [("promoted", 191), ("running", 190)])
def test_a_unit_keeps_its_role_too(agent: Agent, phase: str, code: int) -> None:
    """It has no process of ours."""
    kept = {**json.loads(record(phase)), "definition": {"unit": "web.service"}, "role": "promoted"}
    agent.keep(json.dumps(kept))
    assert agent.recurring().code == code


def test_a_primary_that_died_with_its_daemon_does_not_run(agent: Agent, service: Service) -> None:
    """Nothing of it is left."""
    agent.keep(json.dumps({**json.loads(service.record("promoted")), "role": "promoted"}))
    os.kill(service.process.pid, 9)
    service.process.wait()
    assert agent.recurring().code == 7
