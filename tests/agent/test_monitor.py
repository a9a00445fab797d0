"""`monitor`: the daemon's answer; and where it gives none, what the disk and the process table know."""

import os
import time

import pytest

from tests.fakes.daemon import Answer, FakeDaemon, FrozenDaemon, MakeDaemon, record, says
from tests.fakes.executor import RESOURCE, Agent, Service
from tests.requirements import require_root
from tocsin_ocf.processes import boot_id

SHORT = {"OCF_RESKEY_CRM_meta_timeout": "600"}
ENOUGH = {"OCF_RESKEY_CRM_meta_timeout": "4000"}
"""To find out that a daemon is frozen, and to start another one, also on a busy machine."""
RECURRING = {"OCF_RESKEY_CRM_meta_interval": "60000"}
ANOTHER_BOOT = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize("action", ["monitor", "status", "asyncmon"])
def test_a_running_service_is_0_in_silence(agent: Agent, daemon: MakeDaemon, action: str) -> None:
    """Whatever a monitor prints goes to the log each time."""
    daemon(says(0))
    done = agent(action)
    assert done.code == 0 and done.silent


@pytest.mark.parametrize(
    ("code", "text"), [(1, "killed by signal 9"), (7, "gone"), (9, "split brain"), (190, "lag 40 s")]
)
def test_the_daemons_code_and_reason_are_the_agents(agent: Agent, daemon: MakeDaemon, code: int, text: str) -> None:
    """The daemon knows best."""
    daemon(says(code, text))
    done = agent.recurring()
    assert (done.code, done.reason, done.out) == (code, text, "")


def test_a_service_that_does_not_run_needs_no_reason(agent: Agent, daemon: MakeDaemon) -> None:
    """A probe of a stopped resource is the normal case."""
    daemon(says(7))
    done = agent.probe()
    assert done.code == 7 and done.silent


def test_the_daemon_is_told_the_interval_and_less_time_than_the_agent_has(agent: Agent, daemon: MakeDaemon) -> None:
    """So that its own answer comes before the agent gives up, and the agent's before Pacemaker kills it."""
    asked = daemon(says(0)).asked
    agent.probe()
    agent.recurring()
    (verb, resource, probe), (_, _, recurring) = asked
    assert (verb, resource, probe["interval"], recurring["interval"]) == ("MONITOR", RESOURCE, 0, 60000)
    assert 17000 < probe["timeout"] <= 18000


def test_an_instance_of_a_globally_unique_clone_is_asked_for_by_number(agent: Agent, daemon: MakeDaemon) -> None:
    """Pacemaker calls them RSC:N."""
    asked = daemon(says(0)).asked
    agent("monitor", variables={"OCF_RESOURCE_INSTANCE": "web:2"})
    assert asked[0][1] == "web:2"


def test_a_reason_is_cut_to_what_pacemaker_can_carry(agent: Agent, daemon: MakeDaemon) -> None:
    """Non-ASCII text and more than 128 bytes corrupted the CIB of 2.1.5."""
    daemon(says(1, "größte Störung\t" + "x" * 300))
    done = agent.recurring()
    assert len(done.reason) == 120 and done.reason.isascii() and done.reason.endswith("...")


def test_where_nothing_ever_ran_a_monitor_is_7_in_silence(agent: Agent) -> None:
    """Without daemon, directory, or program."""
    assert [(done.code, done.silent) for done in (agent.probe(), agent.recurring())] == [(7, True), (7, True)]


@pytest.mark.parametrize(
    "text",
    [record("stopped", pid=1, start=1), record("running", pid=1, start=1, boot=ANOTHER_BOOT)],
    ids=["stopped", "booted"],
)
def test_what_was_stopped_or_ran_before_the_boot_is_7_in_silence(agent: Agent, text: str) -> None:
    """Nothing of it can be left, so no daemon is started to say so."""
    agent.keep(text)
    done = agent.recurring()
    assert done.code == 7 and done.silent


def test_a_frozen_daemon_is_replaced_and_the_next_one_asked(
    agent: Agent, frozen: FrozenDaemon, service: Service
) -> None:
    """Nobody watched the services; the next one takes them over."""
    agent.keep(service.record())
    agent.with_program("ready", code=0)
    done = agent("monitor", variables={**ENOUGH, **RECURRING})
    assert done.code == 0 and done.silent
    assert frozen.process.wait(5) == -9
    assert service.process.poll() is None


def test_where_a_frozen_daemon_cannot_be_replaced_a_service_that_runs_is_degraded(
    agent: Agent, frozen: FrozenDaemon, service: Service
) -> None:
    """Its program is gone; and this is no hang: Pacemaker would throw the reason away."""
    agent.keep(service.record())
    begin = time.monotonic()
    done = agent("monitor", variables={**SHORT, **RECURRING})
    assert time.monotonic() - begin < 5
    assert done.code == 190 and done.reason.startswith("service runs, but tocsind cannot be started")


def test_a_probe_of_what_never_ran_is_7_even_from_a_frozen_daemon(agent: Agent, frozen: FrozenDaemon) -> None:
    """Its being unwell is no news of this resource."""
    done = agent("monitor", variables=SHORT)
    assert done.code == 7 and done.silent


@pytest.mark.parametrize(
    "answer", [says(0, proof="x" * 32), lambda verb: b"HTTP/1.1 400 Bad Request\r\n", lambda verb: b""]
)
def test_a_squatter_is_never_believed_nor_told_anything(agent: Agent, daemon: MakeDaemon, answer: Answer) -> None:
    """Any local user can listen on a port that the daemon has left; nothing is even sent there."""
    made = daemon(answer, pid=1)
    agent.keep(record("running", pid=1, start=1, boot=boot_id()))
    agent.with_program("fail", text="cannot listen")
    done = agent("monitor", variables={**SHORT, **RECURRING})
    assert done.code == 7 and made.heard == []
    assert f"port {agent.parameters['port']} is held by " in done.reason
    assert f"[{os.getpid()}] of user " in done.reason


def test_beside_a_squatter_a_service_that_runs_is_degraded_not_failed(
    agent: Agent, daemon: MakeDaemon, service: Service
) -> None:
    """An unprivileged user who takes the port of a dead daemon must not be able to stop a healthy service."""
    daemon(says(0, proof="x" * 32), pid=1)
    agent.keep(service.record())
    agent.with_program("fail", text="cannot listen")
    done = agent("monitor", variables={**SHORT, **RECURRING})
    assert done.code == 190
    assert f"port {agent.parameters['port']} is held by " in done.reason


def test_a_squatter_does_not_disturb_a_probe_of_what_never_ran(agent: Agent, daemon: MakeDaemon) -> None:
    """Start will complain of it."""
    daemon(says(0, proof="x" * 32), pid=1)
    done = agent.probe()
    assert done.code == 7 and done.silent


def test_a_connection_that_is_closed_without_a_reply_is_made_again(agent: Agent, daemon: MakeDaemon) -> None:
    """A daemon that goes down may accept and close."""
    answers = [b"", b"", says(0)("MONITOR")]
    made = daemon(lambda verb: answers.pop(0))
    assert agent.recurring().code == 0 and len(made.asked) == 3


def test_a_dead_daemon_is_revived_and_asked(agent: Agent, service: Service) -> None:
    """It re-adopts the service; a dead daemon is no dead service."""
    agent.keep(service.record())
    agent.with_program("ready", code=0)
    done = agent.recurring()
    assert done.code == 0 and done.silent
    assert b" MONITOR web " in (agent.rundir / "asked").read_bytes()


def test_a_service_without_a_daemon_that_could_be_started_is_degraded(agent: Agent, service: Service) -> None:
    """It is well, only unwatched: Pacemaker shows that, and moves nothing."""
    agent.keep(service.record())
    done = agent.recurring()
    assert done.code == 190
    assert done.reason.startswith(
        "service runs, but tocsind cannot be started: parameter daemon: /nonexistent/tocsind:"
    )


def test_a_dead_service_without_a_daemon_is_7_with_the_reason(agent: Agent, service: Service) -> None:
    """Nothing of it is left, and why nobody knows more."""
    agent.keep(service.record())
    service.process.kill()
    service.process.wait()
    done = agent.probe()
    assert done.code == 7
    assert done.reason.startswith("tocsind cannot be started: parameter daemon: /nonexistent/tocsind:")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"phase":1}', '{"phase":"running","members":3}', "\xff\0"])
def test_a_corrupt_record_is_neither_a_running_nor_a_stopped_service(agent: Agent, text: str) -> None:
    """It is not known what runs, so no node may start it."""
    path = agent.keep(text)
    done = agent.recurring()
    assert done.code == 1
    assert done.err.count("\n") == 1 and done.reason.startswith(str(path)[:100])


@pytest.mark.parametrize(
    ("name", "value"), [("port", "abc"), ("port", "70000"), ("state_dir", "run"), ("daemon", "x"), ("daemon_args", "'")]
)
def test_a_probe_with_a_bad_parameter_is_7(agent: Agent, name: str, value: str) -> None:
    """What could not be started does not run; 6 would stop it everywhere."""
    done = agent.probe(parameters={name: value})
    assert done.code == 7 and done.silent


def test_a_probe_with_a_bad_port_finds_what_runs_under_another(agent: Agent, daemon: MakeDaemon) -> None:
    """Its parameters were changed behind Pacemaker's back."""
    daemon(says(0))
    agent.keep(record("running", pid=1, start=1))
    assert agent.probe(parameters={"port": "abc"}).code == 0


@pytest.mark.parametrize(("name", "value"), [("port", "abc"), ("port", "0"), ("port", "65536"), ("state_dir", "run/x")])
def test_a_recurring_monitor_names_a_bad_parameter(agent: Agent, name: str, value: str) -> None:
    """6: no node could accept it."""
    done = agent("monitor", parameters={name: value}, variables=RECURRING)
    assert done.code == 6
    assert done.reason.startswith(f"parameter {name}: {value!r} is wrong; use ")


def test_a_resource_without_a_name_is_2(agent: Agent) -> None:
    """Pacemaker always names it; a person at a terminal may forget."""
    done = agent("monitor", variables={"OCF_RESOURCE_INSTANCE": None})
    assert done.code == 2 and "OCF_RESOURCE_INSTANCE" in done.reason


def test_a_name_that_no_resource_can_have_is_refused(agent: Agent, daemon: MakeDaemon) -> None:
    """It would be a path."""
    daemon(says(0))
    done = agent("monitor", variables={"OCF_RESOURCE_INSTANCE": "../x"})
    assert done.code == 2 and "resource id" in done.reason


def test_secrets_of_another_user_are_not_trusted(agent: Agent, daemon: MakeDaemon) -> None:
    """Whoever can write them can prove anything."""
    require_root()
    made = daemon(says(0))
    os.chown(made.rundir.secret, 65534, 65534)
    assert agent.probe().code == 7
    agent.keep(record("running", pid=1, start=1))
    done = agent.recurring()
    assert (done.code, made.heard) == (4, []) and "secret" in done.reason


def test_an_unprivileged_user_learns_nothing(public: Agent) -> None:
    """The run directory is closed to them."""
    require_root()
    made = FakeDaemon(public.state_dir, says(0))
    public.with_daemon(made)
    public.keep(record("running", pid=1, start=1))
    done = public("monitor", user=65534)
    made.close()
    assert (done.code, made.heard) == (4, []) and done.reason
