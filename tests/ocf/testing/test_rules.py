"""The judges, on observations that nobody had to make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.good_agent import GOOD
from tocsin_ocf.testing import plan
from tocsin_ocf.testing.document import NotMetadata, parse, seconds
from tocsin_ocf.testing.observed import Call, Observations, Schema
from tocsin_ocf.testing.plan import Options
from tocsin_ocf.testing.rule import DOCUMENT, MUST, SHOULD
from tocsin_ocf.testing.rules import RULES, report

XML = GOOD.partition("<<'XML'\n")[2].partition("XML\n")[0]
DOCUMENT_OF_GOOD = parse(XML)
HARMLESS = {"meta-data", "usage", "validate-all", "no-such-action", ""}


def seen(**calls: Call) -> Observations:
    """Return what was seen of the good agent; an underscore stands for a hyphen."""
    made = {label.replace("_", "-"): call for label, call in calls.items()}
    return Observations("/usr/lib/ocf/resource.d/tests/good", made, document=DOCUMENT_OF_GOOD)


def verdict(rule: str, found: Observations) -> tuple[str, str]:
    """Return result and text of one rule."""
    line = next(line for line in report(found) if line.rule.name == rule)
    return line.verdict.result, line.verdict.seen


def labels(options: Options) -> set[str]:
    """Return every call that may be planned, of agents with and without roles."""
    bare = replace(DOCUMENT_OF_GOOD, actions=())
    steps = [step for one in (DOCUMENT_OF_GOOD, bare, None) for step in plan.looking(one, options)]
    steps += [step for one in (DOCUMENT_OF_GOOD, bare, None) for step in plan.running(one, options)]
    return {step.label for step in [*steps, *plan.describing()]}


def test_the_table_is_sound() -> None:
    """Names are unique, severities known, and what a rule needs is a call that somebody plans."""
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule.severity for rule in RULES} == {MUST, SHOULD}
    needs = {need for rule in RULES for need in rule.needs} - {DOCUMENT}
    assert needs <= labels(Options(kill="true"))
    assert all(rule.section and rule.needs for rule in RULES)


@pytest.mark.parametrize("probe", [True, False])
@pytest.mark.parametrize("document", [DOCUMENT_OF_GOOD, None], ids=["roles", "nothing"])
def test_without_leave_nothing_is_started_or_stopped(probe: bool, document: object) -> None:
    """The plan names only actions that change nothing; without probes not even a monitor."""
    found = DOCUMENT_OF_GOOD if document else None
    steps = [*plan.describing(), *plan.looking(found, Options(probe=probe))]
    actions = {step.arguments[0] if step.arguments else "" for step in steps}
    assert actions == HARMLESS | ({"monitor"} if probe else set())
    assert not any(step.command for step in steps)


@pytest.mark.parametrize("kill", ["", "true"])
def test_a_run_ends_stopped_whatever_fails(kill: str) -> None:
    """Behind each start comes a stop that does not depend on whether it succeeded."""
    steps = plan.running(DOCUMENT_OF_GOOD, Options(kill=kill))
    for number, start in enumerate(steps):
        if start.arguments == ("start",):
            stop = next(step for step in steps[number:] if step.arguments == ("stop",))
            assert stop.after in ("", start.after), start.label


def test_a_run_has_time_for_what_its_stops_wait_for() -> None:
    """However short a call may be."""
    steps = plan.running(DOCUMENT_OF_GOOD, Options(settle=60.0))
    assert plan.longest(steps, 1.0) > 3 * 60 + len(steps)


def test_a_probe_has_no_interval_and_a_recurring_monitor_has_one() -> None:
    """By nothing else an agent can tell them apart."""
    steps = {step.label: step for step in plan.running(None, Options())}
    assert steps["monitor at once"].variables[plan.INTERVAL] == "10000"
    assert plan.INTERVAL not in steps["probe of the running"].variables


def test_the_environment_is_the_executors() -> None:
    """Parameters by their names, no HOME, and C as the locale."""
    found = plan.environment("/x/heartbeat/Dummy", Options(given={"port": "80"}))
    assert (found["OCF_RESKEY_port"], found["OCF_RESOURCE_PROVIDER"]) == ("80", "heartbeat")
    assert found["LC_ALL"] == "C" and "HOME" not in found


def test_nothing_seen_is_nothing_judged() -> None:
    """Every rule skips, and none stumbles."""
    assert {line.verdict.result for line in report(Observations("/x/good"))} == {"SKIP"}


@pytest.mark.parametrize("text", ["", "usage: me", "<a>", "<actions/>", "<resource-agent>"])
def test_what_is_no_metadata_says_so(text: str) -> None:
    """Whatever an agent prints."""
    with pytest.raises(NotMetadata):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20", 20),
        ("20s", 20),
        ("1min", 60),
        ("1 m", 60),
        ("500ms", 0.5),
        ("1h", 3600),
        ("", None),
        ("-1", None),
        ("s", None),
    ],
)
def test_times_are_pacemakers(text: str, expected: float | None) -> None:
    """With or without a unit."""
    assert seconds(text) == expected


@pytest.mark.parametrize(
    ("err", "rule", "result"),
    [
        ("ocf-exit-reason:it is down\n", "exit-reason", "PASS"),
        ("it is down\n", "exit-reason", "FAIL"),
        (f"ocf-exit-reason:{'x' * 128}\n", "exit-reason-length", "PASS"),
        (f"ocf-exit-reason:{'x' * 129}\n", "exit-reason-length", "FAIL"),
        ("ocf-exit-reason:\udcff\n", "exit-reason-ascii", "FAIL"),
        ("ocf-exit-reason:a\tb\n", "exit-reason-ascii", "FAIL"),
        ("noise\nocf-exit-reason:a\n", "exit-reason-last", "PASS"),
        ("ocf-exit-reason:a\nnoise\n", "exit-reason-last", "FAIL"),
        ("", "exit-reason-ascii", "SKIP"),
    ],
)
def test_exit_reasons(err: str, rule: str, result: str) -> None:
    """Present, printable ASCII, at most 128 bytes, the last line."""
    assert verdict(rule, seen(meta_data=Call("meta-data", 0), start=Call("start", 1, err=err)))[0] == result


def test_a_required_parameter_that_is_missing_excuses_a_probe() -> None:
    """And one that is not declared to be required does not."""
    calls = {"probe": Call("monitor", 1), "probe of interval 0": Call("monitor", 1)}
    optional = Observations("/x/good", calls, document=DOCUMENT_OF_GOOD)
    parameters = tuple(replace(one, required=True) for one in DOCUMENT_OF_GOOD.parameters)
    required = replace(optional, document=replace(DOCUMENT_OF_GOOD, parameters=parameters))
    assert verdict("probe", optional)[0] == "FAIL"
    assert verdict("probe", required)[0] == "SKIP"
    assert verdict("probe", replace(required, given={"port": "1", "mode": "deep"}))[0] == "FAIL"


def test_an_agent_may_need_one_of_several_parameters() -> None:
    """None of which can be declared to be required; but once something is given, a refusal is one."""
    calls = {"validate-all": Call("validate-all", 6, err="ocf-exit-reason:give this or that\n")}
    bare = Observations("/x/good", calls, document=DOCUMENT_OF_GOOD)
    assert verdict("validate-accepts", bare)[0] == "SKIP"
    assert verdict("validate-accepts", replace(bare, given={"port": "1"}))[0] == "FAIL"


@pytest.mark.parametrize(
    ("name", "version", "provider", "result"),
    [
        ("ocf-1.1", "1.1", "tests", "FAIL"),
        ("ocf-1.1", "1.0", "tests", "SKIP"),
        ("ocf-1.0", "1.0", "tests", "FAIL"),
        ("ocf-1.0", None, "tests", "FAIL"),
        ("ocf-1.0", "1.1", "tests", "SKIP"),
        ("ra-api-1.dtd", "1.0", "tests", "FAIL"),
        ("ra-api-1.dtd", "1.1", "tests", "SKIP"),
        ("metadata.rng", "1.0", "tests", "SKIP"),
        ("metadata.rng", "1.0", "heartbeat", "FAIL"),
    ],
)
def test_a_schema_counts_for_what_declares_it(name: str, version: str | None, provider: str, result: str) -> None:
    """The invalid is always shown, and a deviation only where the agent claims to be that."""
    found = Observations(
        f"/x/{provider}/good",
        document=replace(DOCUMENT_OF_GOOD, version=version),
        schemas={name: Schema(valid=False, said="invalid: here")},
    )
    got, text = verdict(f"schema-{name}", found)
    assert got == result and "invalid: here" in text
    assert verdict(f"schema-{name}", replace(found, schemas={name: Schema(valid=True, said="valid")}))[0] == "PASS"
    missing = replace(found, schemas={name: Schema(valid=None, said="there is no such file")})
    assert verdict(f"schema-{name}", missing) == ("SKIP", "there is no such file")


def test_what_the_tester_says_may_stay_is_named_but_no_fault() -> None:
    """A daemon that several resources share, say."""
    calls = {
        "stop of the never started": Call("stop", 0),
        "stop": Call("stop", 0, left=("process 7 sharedd -x", "process 8 mine")),
    }
    found = Observations("/x/good", calls, document=DOCUMENT_OF_GOOD, keep=("sharedd*",))
    assert verdict("leftover-processes", found) == ("FAIL", "process 8 mine")
    result, text = verdict("leftover-processes", replace(found, keep=("sharedd*", "mine")))
    assert result == "PASS" and "sharedd -x" in text


def test_a_line_is_one_line_for_any_terminal() -> None:
    """Whatever the agent prints."""
    call = Call("meta-data", 1, err="a\x1b[2Jb\nc\udcff")
    line = next(str(line) for line in report(seen(meta_data=call)) if line.rule.name == "meta-data")
    assert line.isascii() and line.isprintable() and line.startswith("FAIL meta-data exit 1: a?[2Jb c?")
