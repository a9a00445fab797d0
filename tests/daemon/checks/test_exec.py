"""`exec` and `ocf`: what a program's end says, and how it is called."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.fakes.checks import FakeRun
from tocsin_daemon.checks import KINDS
from tocsin_daemon.checks.execute import first_line
from tocsin_daemon.checks.outside import Ended, Outside
from tocsin_daemon.core.check import Outcome, Result, Spec


def check(target: object, kind: str = "exec", run: Any = None, **options: object) -> Any:  # noqa: ANN401
    """Return a check whose programs end as `run` says."""
    spec = Spec(kind, target, "one", interval=10.0, timeout=20.0, options=options)
    return KINDS[kind](spec, Outside(None, "web", run or FakeRun()))


def now(done: Deferred[Outcome]) -> Outcome:
    """Return what has been found already."""
    found: list[Outcome] = []
    done.addCallback(found.append)
    return found[0]


def found(ended: Ended | OSError, kind: str = "exec", **options: object) -> Outcome:
    """Return what a check makes of a program's end."""
    target = "heartbeat:redis" if kind == "ocf" else "/usr/bin/true"
    return now(check(target, kind, FakeRun(ended), **options).run())


W, S, B, E = Result.WELL, Result.SOFT, Result.BAD, Result.ERROR


@pytest.mark.parametrize(
    ("kind", "options", "results"),
    [
        ("exec", {}, {0: W, 1: B, 2: B, 3: B, 7: B, 125: B, 126: E, 127: E, 137: B, -9: E, None: E}),
        ("exec", {"nagios": True}, {0: W, 1: S, 2: B, 3: E, 4: B, 127: E, -11: E}),
        (
            "ocf",
            {},
            {0: W, 8: W, 190: S, 191: S, 1: B, 7: B, 9: B, 2: E, 3: E, 4: E, 5: E, 6: E, 127: E, 42: B, -15: E},
        ),
    ],
)
def test_what_each_exit_status_says(kind: str, options: dict[str, object], results: dict[int, Result]) -> None:
    """A program that could not look has found nothing."""
    assert {status: found(Ended(status), kind, **options).result for status in results} == results


def test_the_words_are_the_programs_own() -> None:
    """The first line that says something, without a plug-in's figures, printable."""
    assert found(Ended(0, b"\n OK - 3 users|users=3;5;9\nmore")) == Outcome(W, "OK - 3 users")
    assert found(Ended(2, b"", b"no such table\n")) == Outcome(B, "exit status 2: no such table")
    assert found(Ended(1)) == Outcome(B, "exit status 1")
    assert found(Ended(-9)).text == "killed by signal 9 (KILL)"
    assert found(Ended(-63)).text == "killed by signal 63"
    assert first_line(b"\xff\x1b[2J caf\xc3\xa9") == "\ufffd?[2J caf\u00e9"


def test_an_agents_last_reason_is_its_words() -> None:
    """Or the last line of its log."""
    errors = b"ocf-exit-reason:old\nWARNING: x\nocf-exit-reason:no redis here\nDEBUG\n"
    assert found(Ended(7, b"", errors), "ocf") == Outcome(B, "exit status 7: no redis here")
    assert found(Ended(1, b"", b"a\nb\n"), "ocf") == Outcome(B, "exit status 1: b")


def test_what_cannot_be_executed_has_not_looked() -> None:
    """The path is named."""
    error = FileNotFoundError(2, "No such file or directory", "/no/such")
    assert found(error) == Outcome(E, "cannot be executed: no such file or directory: /no/such")
    assert found(OSError(11, "Resource temporarily unavailable")).result is E
    assert now(check("true", user="nosuchuser").run()).result is E


def test_output_without_end_is_an_error_of_the_check() -> None:
    """Whatever status it came to."""
    assert found(Ended(-13, b"y", flooded=True)) == Outcome(E, "it writes without end")


def test_the_environment_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a login has, and who asks."""
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/x")
    run = FakeRun()
    check(["sh", "-c", "true"], run=run).run()
    program = run.programs[0]
    assert program.argv in {("/usr/bin/sh", "-c", "true"), ("/bin/sh", "-c", "true")}
    assert set(program.environment) == {
        *("PATH", "LANG", "HOME", "USER", "LOGNAME", "SHELL"),
        *("TOCSIN_RESOURCE", "TOCSIN_CHECK"),
    }
    assert program.user is None


def test_another_user_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory of users may be far away."""
    run = FakeRun()
    one = check("true", run=run, user="nobody")
    one.run()
    monkeypatch.setattr("tocsin_daemon.environment.identity", None)
    one.run()
    assert run.programs[0] is run.programs[1]
    assert run.programs[0].environment["USER"] == "nobody"
    assert run.programs[0].user


def test_an_agent_is_called_as_pacemaker_calls_a_recurring_monitor() -> None:
    """Its parameters and what it may ask of itself."""
    run = FakeRun()
    check("ocf:heartbeat:redis", "ocf", run, parameters={"port": 6380}).run()
    program = run.programs[0]
    assert program.argv == ("/usr/lib/ocf/resource.d/heartbeat/redis", "monitor")
    assert (
        program.environment.items()
        >= {
            "OCF_ROOT": "/usr/lib/ocf",
            "OCF_RA_VERSION_MAJOR": "1",
            "OCF_RA_VERSION_MINOR": "1",
            "OCF_RESOURCE_INSTANCE": "web",
            "OCF_RESOURCE_TYPE": "redis",
            "OCF_RESOURCE_PROVIDER": "heartbeat",
            "OCF_RESKEY_port": "6380",
            "OCF_RESKEY_CRM_meta_interval": "10000",
            "OCF_RESKEY_CRM_meta_timeout": "20000",
            "OCF_RESKEY_CRM_meta_name": "monitor",
        }.items()
    )
