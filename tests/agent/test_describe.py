"""`meta-data`, `usage`, `validate-all`, and what is no action."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.fakes.executor import PYTHON, Agent
from tests.requirements import require, require_program, require_root

RNG = Path("/usr/share/pcs/data/ocf-1.1.rng")
DTD = Path("/usr/share/resource-agents/ra-api-1.dtd")
BARE = {"OCF_RESOURCE_INSTANCE": None, "OCF_RESKEY_CRM_meta_timeout": None, "PATH": None}


def xmllint(text: str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Validate `text`, which has to come by standard input for the DTD to be found in the working directory."""
    command = [require_program("xmllint"), "--noout", *options, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=DTD.parent)


def test_the_meta_data_is_valid_by_the_dtd_that_ocf_tester_uses(agent: Agent) -> None:
    """With the additions of OCF 1.1 declared in the document."""
    require(DTD.exists(), f"{DTD} (package resource-agents)")
    done = xmllint(agent("meta-data").out, "--valid")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_meta_data_is_valid_by_the_schema_of_ocf_1_1(agent: Agent) -> None:
    """As pcs ships it."""
    require(RNG.exists(), f"{RNG} (package pcs)")
    require(DTD.exists(), f"{DTD} (package resource-agents)")
    done = xmllint(agent("meta-data").out, "--relaxng", str(RNG))
    assert done.returncode == 0, done.stderr


def test_the_meta_data_needs_nothing(agent: Agent) -> None:
    """No resource, no environment."""
    done = agent("meta-data", variables=BARE)
    assert done.code == 0 and not done.err and done.out.startswith("<?xml") and done.out.endswith("</resource-agent>\n")


def test_any_user_can_read_the_meta_data(public: Agent) -> None:
    """The controller asks for it as hacluster, before every start."""
    require_root()
    assert public("meta-data", variables=BARE, user=65534).code == 0


def test_an_installed_agent_starts_by_its_first_line(public: Agent) -> None:
    """Pacemaker executes the file."""
    require(os.access("/usr/bin/python3", os.X_OK), "/usr/bin/python3")
    done = subprocess.run([public.path, "usage"], capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: service start|stop|monitor")


@pytest.mark.parametrize("action", ["usage", "help"])
def test_usage_is_printed_on_stdout(agent: Agent, action: str) -> None:
    """It was asked for."""
    done = agent(action, variables=BARE)
    assert done.code == 0 and not done.err and "validate-all" in done.out


@pytest.mark.parametrize("action", [[], ["migrate_to"], ["reload"], ["Monitor"], [""]])
def test_what_is_no_action_is_3_and_shows_the_usage(agent: Agent, action: "list[str]") -> None:
    """On stderr, for stdout is meta-data's."""
    done = agent(*action)
    assert done.code == 3 and not done.out
    assert done.err.startswith("usage: ") and done.err.endswith(f"ocf-exit-reason:{done.reason}\n") and done.reason


def test_valid_parameters_are_0_in_silence(agent: Agent) -> None:
    """What is said gets printed by pcs, on success too; the machine is not looked at, so any program will do."""
    done = agent("validate-all", parameters={"command": "/nonexistent/x", "user": "no-such-user"})
    assert done.code == 0 and done.silent


def test_all_faults_are_printed_and_the_reason_is_last(agent: Agent) -> None:
    """One round for the administrator, not four."""
    bad = {"command": "a 'b", "port": "-1", "stop_signal": "FOO", "stop_timeout": "soon", "directory": "x"}
    done = agent("validate-all", parameters=bad)
    assert done.code == 6 and not done.out
    assert [line.split(":")[0] for line in done.err.splitlines()] == [
        *("parameter port", "parameter command", "parameter directory", "parameter stop_signal"),
        *("parameter stop_timeout", "ocf-exit-reason"),
    ]
    assert done.reason.startswith("parameter port: '-1' is wrong; use ") and done.reason.endswith("(and 4 more)")


def test_check_level_10_looks_at_the_machine(agent: Agent) -> None:
    """5: another node may have it."""
    done = agent("validate-all", parameters={"command": "/nonexistent/x"}, variables={"OCF_CHECK_LEVEL": "10"})
    assert (done.code, done.reason) == (5, "parameter command: /nonexistent/x: no such file or directory")


def test_a_file_is_checked_by_the_daemons_own_code(agent: Agent, tmp_path: Path) -> None:
    """Every fault with file and line; 2, for the file of another node may be right."""
    config = tmp_path / "web.yaml"
    config.write_text("comand: x\nusr: y\n")
    agent.with_program("ready")
    done = agent("validate-all", parameters={"config": str(config)})
    assert done.code == 2
    assert done.err.splitlines()[:2] == [f"{config}:1: comand: x: unknown", f"{config}:2: usr: y: unknown"]
    config.write_text("")
    done = agent("validate-all", parameters={"config": str(config)})
    assert done.code == 0 and done.silent


@pytest.mark.parametrize(("parameter", "there"), [("daemon", False), ("config", True)])
def test_a_file_that_cannot_be_checked_is_5(agent: Agent, tmp_path: Path, parameter: str, there: bool) -> None:
    """Its own absence, or that of the daemon that reads it."""
    config = tmp_path / "web.yaml"
    if there:
        agent.with_program("ready")
    else:
        config.write_text("")
    done = agent("validate-all", parameters={"config": str(config)})
    assert done.code == 5 and done.reason.startswith(f"parameter {parameter}: /")


def test_validation_needs_neither_root_nor_a_resource(public: Agent) -> None:
    """Tools call it before there is a resource."""
    require_root()
    for command, code in (("sleep 1", 0), ("'", 6)):
        done = public("validate-all", parameters={"command": command}, variables=BARE, user=65534)
        assert done.code == code


def test_a_bug_is_1_with_a_trace_before_the_reason(folded: Path, tmp_path: Path) -> None:
    """Modules of the folded agent have no file, but the trace names them and the line."""
    broken = tmp_path / "service"
    broken.write_text(folded.read_text().replace("    resource = asked.resource\n", "    resource = 1 // 0\n"))
    for action, code in (("monitor", 1), ("stop", 1), ("start", 1)):
        done = subprocess.run([PYTHON, "-IS", broken, action], capture_output=True, text=True, check=False, env={})
        lines = done.stderr.splitlines()
        assert (done.returncode, lines[0]) == (code, "Traceback (most recent call last):")
        assert lines[-3].startswith(f"  tocsin_ocf/actions/{action}.py:") and lines[-3].endswith(
            (f" in {action}", f" in _{action}")
        )
        assert (
            lines[-1]
            == f"ocf-exit-reason:unexpected in {action}: ZeroDivisionError: integer division or modulo by zero"
        )
