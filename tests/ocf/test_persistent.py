"""An agent of somebody's own whose actions are those of a persistent one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File

import pytest

from tocsin_ocf import persistent as module
from tocsin_ocf import stray_unit
from tocsin_ocf.agent import Agent, Asked, Integer
from tocsin_ocf.declared import Parameter
from tocsin_ocf.exit_codes import OCF_ERR_CONFIGURED, OCF_SUCCESS
from tocsin_ocf.invocation import Invocation
from tocsin_ocf.persistent import MONITOR_HOLD, Defined, persistent

PORT = Integer("port", "Port of it", "Where.", default="7070", least=1, most=65535)
ALWAYS = ["start", "stop", "monitor", "asyncmon", "validate-all", "meta-data"]
ROLES = ["start", "stop", "monitor", "monitor", "promote", "demote", "notify", "asyncmon", "validate-all", "meta-data"]


def environ(**variables: str) -> dict[bytes, bytes]:
    """Return what Pacemaker passes, for a resource called web."""
    given = {"OCF_RESOURCE_INSTANCE": "web", **variables}
    return {name.encode(): value.encode() for name, value in given.items()}


def made(definition: dict[str, object], *parameters: Parameter[object], promotable: bool = False) -> Agent:
    """Return an agent that defines its service so."""
    agent = Agent("one", "1.0", "One", "One of them.", parameters or (PORT,), provider="example")
    persistent(agent, promotable=promotable)(lambda _: definition)
    return agent


def names(agent: Agent) -> list[str]:
    """Return the actions as they are advertised."""
    return [row.name for row in agent.actions]


@pytest.mark.parametrize(
    ("promotable", "parameters", "expected"),
    [
        (False, (PORT,), ALWAYS),
        (True, (PORT,), ROLES),
        (False, (PORT, MONITOR_HOLD), [*ALWAYS[:4], "reload-agent", *ALWAYS[4:]]),
        (True, (MONITOR_HOLD,), [*ROLES[:8], "reload-agent", *ROLES[8:]]),
    ],
)
def test_an_action_is_there_when_it_can_be_of_use(
    promotable: bool,
    parameters: tuple[Parameter[object], ...],
    expected: list[str],
) -> None:
    """And the declaration is sound each time."""
    agent = made({"command": ["/bin/true"]}, *parameters, promotable=promotable)
    assert (names(agent), agent.mistakes()) == (expected, [])


def test_what_the_agent_has_stays() -> None:
    """Its own validate-all, say, looks for more."""
    agent = Agent("one", "1.0", "One", "One of them.", (PORT,), provider="example")

    @agent.action(timeout="7s")
    def validate_all(asked: Asked) -> tuple[int, str]:
        return OCF_SUCCESS, f"looked at {asked[PORT]}"

    persistent(agent, timeout="90s")(lambda _: {"command": ["/bin/true"]})
    assert {row.name: row.timeout for row in agent.actions if row.name in ("start", "validate-all", "stop")} == {
        "start": "90s",
        "stop": "90s",
        "validate-all": "7s",
    }
    assert agent.perform("validate-all", environ()) == (OCF_SUCCESS, "looked at 7070")


def test_a_faulty_definition_is_told_with_its_key(capsys: pytest.CaptureFixture[str]) -> None:
    """All of it, in the words that a file gets."""
    agent = made({"command": ["/bin/true"], "nicee": 3, "stop_timeout": "soon"})
    assert agent.perform("validate-all", environ())[0] == OCF_ERR_CONFIGURED
    said = capsys.readouterr().err
    assert "definition: nicee: " in said
    assert "definition: stop_timeout: " in said


def test_its_parameters_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port of the appliance is not the daemon's; only how long a monitor waits means the same to both."""
    seen: list[Invocation] = []
    monkeypatch.setattr(module, "function_of", lambda _: lambda asked: (seen.append(asked), (0, ""))[1])
    agent = made({"driver": "appliance"}, PORT, MONITOR_HOLD)
    given = {"OCF_RESKEY_port": "1", "OCF_RESKEY_state_dir": "/x", "OCF_RESKEY_monitor_hold": "45"}
    agent.perform("start", environ(**given))
    asked = seen[-1]
    assert (asked.port, asked.state_dir, asked.hold, asked.own) == (9909, "/run/tocsin", 45000, {"driver": "appliance"})


@pytest.mark.parametrize("action", ["monitor", "stop", "promote", "demote", "notify"])
def test_what_has_to_work_with_faulty_parameters_does(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """The definition is not even asked for."""
    monkeypatch.setattr(module, "function_of", lambda _: lambda asked: (0, asked.resource))
    agent = Agent("one", "1.0", "One", "One of them.", (PORT,), provider="example")
    persistent(agent, promotable=True)(lambda _: pytest.fail("asked for the definition"))
    assert agent.perform(action, environ(OCF_RESKEY_port="x")) == (0, "web")


def test_a_unit_that_it_defines_is_known_to_a_probe_and_a_stop() -> None:
    """It may run since the boot; and no fault of the function may fail a stop."""

    def unit(definition: Callable[[Asked], dict[str, object]]) -> str:
        return stray_unit.name_of(Defined(Asked("stop", environ()), definition))

    assert unit(lambda _: {"unit": "web.service"}) == "web.service"
    assert unit(lambda asked: {"unit": 1 / asked.interval}) == ""


def test_a_definition_is_asked_for_once_in_a_call() -> None:
    """What is validated is what is run."""
    said = iter([{"unit": "web.service"}])
    call = Defined(Asked("start", environ()), lambda _: next(said))
    assert call.own is call.own


def test_the_clock_of_a_call_runs_on() -> None:
    """What its own validation took is gone."""
    asked = Asked("start", environ())
    asked._deadline -= 5.0
    assert Defined(asked, lambda _: {}).remaining() == pytest.approx(asked.remaining(), abs=1.0)


def define_by_port(asked: Asked) -> dict[str, object]:
    """Define it by a parameter, which may be faulty."""
    return {"command": ["/bin/true", str(asked[PORT])]}


def define_by_file(_: Asked) -> dict[str, object]:
    """Define it by a file that is missing just now."""
    return {"command": [File("/nonexistent/words").read_text()]}


@pytest.mark.parametrize(
    ("define", "why"), [(define_by_port, "parameter port: 'x' is wrong"), (define_by_file, "[Errno 2]")]
)
def test_a_faulty_reload_leaves_a_healthy_service_alone(
    define: Callable[[Asked], dict[str, object]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exit code of its own would have Pacemaker stop it for a slip of the pen."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    agent = Agent("one", "1.0", "One", "One of them.", (PORT, MONITOR_HOLD), provider="example")
    persistent(agent)(define)
    code, reason = agent.perform("reload-agent", environ(OCF_RESKEY_port="x"))
    assert (code, reason.startswith(f"the old definition stays: {why}")) == (0, True)
