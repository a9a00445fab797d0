"""An agent of somebody's own on the kit: what it declares, what it is asked, and what comes of it."""

import subprocess
from pathlib import Path as File

import pytest

from tocsin_ocf import fold, surroundings, validation
from tocsin_ocf.agent import (
    OCF_DEGRADED,
    OCF_NOT_RUNNING,
    ActionFailed,
    Agent,
    Asked,
    Boolean,
    Duration,
    Integer,
    Parameter,
    Path,
    Select,
    Text,
)
from tocsin_ocf.exit_codes import concluded
from tocsin_ocf.metadata import render

LIMIT = Integer("limit", "Most jobs", "How many.", default="10", least=1, most=99, reloadable=True, formerly="max")
PLACE = Path("place", "Place of it", "Where.", required=True, unique=True)
MODE = Select("mode", "Way of it", "How.", ("strict", "lax"), default="strict")
GRACE = Duration("grace", "Time of it", "How long.", default="2min")
LOUD = Boolean("loud", "Noise of it", "Whether.", deprecated="it is silent now")
NAME = Text("name", "Name of it", "What.", group="names")
EVERY = (LIMIT, PLACE, MODE, GRACE, LOUD, NAME)
WHEN = "use seconds, or a number with ms, s, min or h, such as 30s"
GOOD = {"place": "/srv"}


def made(*parameters: "Parameter[object]") -> Agent:
    """Return an agent that does nothing but tell what it is asked."""
    agent = Agent("one", "1.0", "One", "One of them.", parameters, provider="example")

    @agent.action(timeout="20s")
    def start(asked: Asked) -> "tuple[int, str]":
        return 0, f"{asked.action} {asked.resource}"

    @agent.action(timeout="20s")
    def stop(asked: Asked) -> None:
        return None

    @agent.action(timeout="20s", interval="10s")
    @agent.action(timeout="20s", interval="9s", role="Promoted")
    def monitor(asked: Asked) -> int:
        return OCF_NOT_RUNNING if asked.is_probe else OCF_DEGRADED

    return agent


def environ(**parameters: str) -> "dict[bytes, bytes]":
    """Return what Pacemaker passes; names in capitals are no parameters."""
    own = {name if name.isupper() else f"OCF_RESKEY_{name}": value for name, value in parameters.items()}
    own.setdefault("OCF_RESOURCE_INSTANCE", "web:1")
    return {name.encode(): value.encode() for name, value in own.items()}


def asked(action: str = "monitor", **parameters: str) -> Asked:
    """Return a call."""
    return Asked(action, environ(**parameters))


def test_a_parameter_has_a_typed_value_or_its_default() -> None:
    """Type checkers know them; the assignments here are checked by mypy."""
    number: int = asked()[LIMIT]
    seconds: float = asked()[GRACE]
    loud: bool = asked(loud="on")[LOUD]
    text: str = asked(name="x y")[NAME]
    assert (number, seconds, loud, text) == (10, 120.0, True, "x y")
    assert (asked()[LOUD], asked()[NAME], asked()[MODE], asked(place="/x")[PLACE]) == (False, "", "strict", "/x")


@pytest.mark.parametrize(
    ("parameter", "value", "right"),
    [
        *((LIMIT, value, "use a whole number from 1 to 99") for value in ("0", "100", "x", "1.0", "٣", "-", "9" * 30)),
        *((PLACE, value, "use an absolute path") for value in ("x", "./x", "/a\nb")),
        (MODE, "Strict", "use one of strict, lax"),
        *(
            (GRACE, value, "use seconds, or a number with ms, s, min or h, such as 30s")
            for value in ("x", "1 d", "-1s")
        ),
        (LOUD, "maybe", "use true or false"),
    ],
)
def test_a_faulty_value_says_what_would_be_right(parameter: "Parameter[object]", value: str, right: str) -> None:
    """6: no node could accept it."""
    with pytest.raises(ActionFailed) as failed:
        asked(**{parameter.name: value})[parameter]
    assert failed.value.code == 6
    assert failed.value.reason == f"parameter {parameter.name}: {value[:40]!r} is wrong; {right}"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30), ("30s", 30), ("1.5h", 5400), ("250ms", 0.25), ("2min", 120), ("1hr", 3600)]
)
def test_a_duration_is_spelled_as_pacemaker_spells_it(text: str, seconds: float) -> None:
    """In seconds."""
    assert asked(grace=text)[GRACE] == seconds


def test_a_former_name_counts_where_the_new_one_is_not_set() -> None:
    """So that an upgrade changes nothing."""
    assert [asked(max="3")[LIMIT], asked(max="3", limit="4")[LIMIT]] == [3, 4]


def test_all_faults_are_told_at_once_and_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """One round for the administrator, not three."""
    agent = made(*EVERY)
    for action in ("start", "validate-all"):
        with pytest.raises(ActionFailed) as failed:
            agent.perform(action, environ(limit="x", mode="y"))
        assert failed.value.reason.endswith("(and 2 more)")
        assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
            *("parameter limit", "parameter place", "parameter mode")
        ]
    assert agent.perform("start", environ(**GOOD)) == (0, "start web:1")


def test_a_stop_and_a_monitor_work_with_what_made_the_start_fail() -> None:
    """Or the node would be fenced for a typing mistake."""
    agent = made(*EVERY)
    assert agent.perform("stop", environ(limit="x")) == (0, "")
    assert agent.perform("monitor", environ(limit="x")) == (7, "")
    assert agent.perform("monitor", environ(limit="x", CRM_meta_interval="10000")) == (190, "")


def test_what_is_deprecated_is_said_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Each time that it counts."""
    made(*EVERY).perform("start", environ(**GOOD, loud="1", max="3"))
    said = capsys.readouterr().err
    assert "WARNING: parameter loud is deprecated: it is silent now" in said
    assert "WARNING: parameter max is deprecated: it is called limit now" in said


def test_the_own_validation_looks_too_before_a_start() -> None:
    """At this machine as well, unlike a validate-all without OCF_CHECK_LEVEL."""
    agent, looks = made(*EVERY), []

    @agent.action(timeout="20s")
    def validate_all(asked: Asked) -> None:
        looks.append((asked.action, asked.local))

    for action, level in (("start", "0"), ("validate-all", "0"), ("validate-all", "10")):
        agent.perform(action, environ(**GOOD, OCF_CHECK_LEVEL=level))
    assert looks == [("start", True), ("validate-all", False), ("validate-all", True)]


def test_what_the_own_validation_returns_ends_a_start() -> None:
    """As if it had raised it; what the system refuses has its words there, too."""
    agent, ends = made(), iter([(5, "no spool"), 6, None])

    @agent.action(timeout="20s")
    def validate_all(asked: Asked) -> "tuple[int, str] | int | None":
        return next(ends)

    ended = [agent.perform("start", environ()) for _ in range(3)]
    assert ended == [(5, "no spool"), (6, ""), (0, "start web:1")]

    @agent.action(timeout="20s", name="validate-all")
    def refused(asked: Asked) -> None:
        raise PermissionError(1, "Not permitted", "/srv/x")

    assert agent.perform("start", environ()) == agent.perform("validate-all", environ()) == (4, "Not permitted: /srv/x")
    assert agent.perform("stop", environ()) == (0, "")


def test_what_is_asked_is_told_in_words_of_ocf_1_1() -> None:
    """Whatever the version of Pacemaker."""
    call = asked(CRM_meta_interval="10000", CRM_meta_role="Master", CRM_meta_timeout="30000", CRM_meta_clone_max="3")
    assert (call.is_probe, call.role, call.timeout, call.interval) == (False, "Promoted", 30000, 10000)
    assert (call.resource, call.meta("clone_max"), call.check_level) == ("web:1", "3", 0)
    levels = ("10", "x", "9" * 5000)
    assert [asked(OCF_CHECK_LEVEL=level).check_level for level in levels] == [10, 0, 10**12 - 1]
    assert asked(CRM_meta_role="Slave").role == "Unpromoted" and asked().role == ""
    assert asked().is_probe and not asked("start").is_probe
    for name in ("", "a/b", ".x"):
        with pytest.raises(ActionFailed):
            asked(OCF_RESOURCE_INSTANCE=name).resource  # noqa: B018 a property


def test_a_failure_ends_with_its_reason_and_a_bug_with_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is the last line of stderr, which Pacemaker takes; the log has it once only."""
    agent = made()

    @agent.action(timeout="20s")
    def demote(asked: Asked) -> None:
        raise ActionFailed(5, "no\nprogram")

    @agent.action(timeout="20s")
    def notify(asked: Asked) -> None:
        raise ZeroDivisionError("bug")

    @agent.action(timeout="20s")
    def promote(asked: Asked) -> None:
        raise PermissionError(1, "Not permitted", "/srv/x")

    @agent.action(timeout="20s")
    def migrate_to(asked: Asked) -> None:
        raise OSError("no such thing")

    assert concluded(lambda action: agent.perform(action, environ()), "demote") == 5
    assert capsys.readouterr().err == "ocf-exit-reason:no program\n"
    assert agent.perform("promote", environ()) == (4, "Not permitted: /srv/x")
    assert agent.perform("migrate_to", environ()) == (1, "no such thing")
    assert capsys.readouterr().err == ""
    assert concluded(lambda action: agent.perform(action, environ()), "notify") == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Traceback (most recent call last):"
    assert said[-1] == "ocf-exit-reason:unexpected in notify: ZeroDivisionError: bug"


@pytest.mark.parametrize("code", [5, 7])
def test_a_stop_never_fails_with_not_installed_or_not_running(code: int) -> None:
    """OCF knows no such stop."""
    assert [concluded(lambda _: (code, ""), action) for action in ("stop", "monitor")] == [1, code]


def test_what_is_no_action_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    """And shows the usage, where there is one."""
    code, reason = made().perform("promote", environ())
    assert (code, reason) == (3, "unknown action 'promote'")
    assert capsys.readouterr().err.startswith("usage: one start|stop|monitor|validate-all|meta-data|usage\n")


def test_a_good_declaration_has_no_mistakes() -> None:
    """The test that an agent of your own should have."""
    agent = made(PLACE, MODE, NAME)
    assert agent.mistakes() == []


def test_mistakes_of_a_declaration_are_found() -> None:
    """Each of them costs an evening on a cluster."""
    agent = Agent(
        "one",
        "1.0",
        "One",
        "One of them.",
        (
            Integer("a", "A", "A.", default="x"),
            Text("a", "", "A.", required=True, default="y"),
            Text("b", "B", "B.", reloadable=True),
        ),
        provider="example",
    )
    for interval, role in (("10s", ""), ("10s", "Leader")):
        agent.action("20s", interval, role=role, name="monitor")(lambda _: None)
    agent.action("20s", name="promote")(lambda _: None)
    assert agent.mistakes() == [
        "parameter a: declared 2 times",
        "parameter a: its default 'x' is wrong; use a whole number from 0 to 2147483647",
        "parameter a: required, and a default; one of them is of no use",
        "parameter a: wants a title of at most 60 characters, and a text",
        "action start: missing",
        "action stop: missing",
        "action reload-agent: it and reloadable parameters go together",
        "action promote, demote: both or neither",
        "action monitor: two with the same interval; Pacemaker tells them apart by it alone",
        "action monitor: no role Leader",
    ]


def test_reasons_stay_short_however_many_faults() -> None:
    """Pacemaker cuts at 128 bytes."""
    with pytest.raises(ActionFailed) as failed:
        validation.refuse(6, ["x" * 300, "y"])
    assert len(failed.value.reason) == 120 and failed.value.reason.endswith("x (and 1 more)")


def test_a_type_of_your_own_is_a_class_with_a_reader() -> None:
    """The rest of the kit knows what to do with it."""

    class Size(Parameter[int]):
        """Mebibytes."""

        def read(self, text: str) -> int:
            """Return the bytes."""
            if not text.endswith("M"):
                raise ValueError("use a number with M")
            return int(text[:-1]) * 2**20

    size = Size("size", "Size", "Size.", default="1M")
    found: int = asked(size="3M")[size]
    assert found == 3 * 2**20 and '<content type="string" default="1M"/>' in render(made(size))
    assert made(size, Size("least", "Least", "Least.", required=True)).mistakes() == []  # it is never read when missing
    assert [line[:12] for line in made(Size("most", "Most", "Most.")).mistakes()] == ["parameter mo"]


def test_programs_are_found_in_the_usual_places_or_are_5(tmp_path: File) -> None:
    """Another node may have it."""
    assert asked().program("sh") in ("/usr/bin/sh", "/bin/sh")
    assert asked().program("/bin/sh") == "/bin/sh"
    for name in ("no-such-program-x", str(tmp_path / "x")):
        with pytest.raises(ActionFailed) as failed:
            asked().program(name)
        assert failed.value.code == 5 and failed.value.reason == f"{name} is not installed on this node"


def test_the_node_is_told_by_pacemaker_or_asked(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever calls an agent by hand."""
    tool = tmp_path / "crm_node"
    tool.write_text("#!/bin/sh\necho n7\n")
    tool.chmod(0o755)
    monkeypatch.setattr(surroundings, "CRM_NODE", str(tool))
    assert [asked(CRM_meta_on_node="n1").node, asked().node] == ["n1", "n7"]
    monkeypatch.setattr(surroundings, "CRM_NODE", str(tmp_path / "none"))
    assert asked().node == ""


def test_a_promotion_score_is_set_and_taken_back(tmp_path: File, monkeypatch: pytest.MonkeyPatch) -> None:
    """By crm_attribute, until the node reboots; what it says is the reason."""
    tool, heard = tmp_path / "crm_attribute", tmp_path / "heard"
    tool.write_text(f'#!/bin/sh\necho "$*" >>{heard}\ncase "$*" in *666*) echo no >&2; exit 1;; esac\n')
    tool.chmod(0o755)
    monkeypatch.setattr(surroundings, "CRM_ATTRIBUTE", str(tool))
    call = asked(CRM_meta_on_node="n1")
    call.set_promotion_score(100)
    call.set_promotion_score(None)
    common = "--promotion=web:1 --lifetime reboot --node n1"
    assert heard.read_text().splitlines() == [f"{common} --update 100", f"{common} --delete"]
    with pytest.raises(ActionFailed, match="the promotion score was not set: no"):
        call.set_promotion_score(666)
    monkeypatch.setattr(surroundings, "CRM_ATTRIBUTE", str(tmp_path / "none"))
    with pytest.raises(ActionFailed, match="the promotion score was not set: "):
        call.set_promotion_score(1)


@pytest.mark.parametrize(
    ("text", "name"),
    [('ID=debian\nVERSION_ID="12"\n', "debian/12"), ("ID=arch\n", "arch"), ("#\n\n", ""), (None, "")],
)
def test_the_distribution_is_what_os_release_says(tmp_path: File, text: "str | None", name: str) -> None:
    """Name and version."""
    file = tmp_path / "os-release"
    if text is not None:
        file.write_text(text)
    assert surroundings.distribution(str(file)) == name


def test_folding_brings_no_more_than_the_kit(tmp_path: File) -> None:
    """An agent of one's own has no use for what tocsind is asked by."""
    agent = tmp_path / "own"
    agent.write_text("import sys\nsys.path.insert(0, '')\nfrom tocsin_ocf.agent import Agent\n")
    text = fold.fold(agent, [fold.LIBRARY])
    subprocess.run(["/usr/bin/python3", "-IS", "-c", text], check=True)
    assert {line.split('"')[1] for line in text.splitlines() if line.startswith('"tocsin_ocf')} == {
        *("tocsin_ocf", "tocsin_ocf.agent", "tocsin_ocf.call", "tocsin_ocf.declared", "tocsin_ocf.exit_codes"),
        *("tocsin_ocf.ha_log", "tocsin_ocf.metadata", "tocsin_ocf.notification", "tocsin_ocf.programs"),
        *("tocsin_ocf.surroundings", "tocsin_ocf.unexpected", "tocsin_ocf.validation"),
    }
