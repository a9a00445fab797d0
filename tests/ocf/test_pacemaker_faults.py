"""What can go wrong has a name, by Pacemaker's exit code; and no secret is in it."""

from __future__ import annotations

import pytest

from tests.fakes.replies import recording
from tocsin_ocf import pacemaker
from tocsin_ocf.pacemaker import (
    BadVersion,
    End,
    Fault,
    Killed,
    NoSuchNode,
    NoSuchObject,
    NoSuchResource,
    NotConnected,
    NotInstalled,
    NotPermitted,
    Primitive,
    Reply,
    Request,
    TimedOut,
    Unreadable,
    Version,
    cibadmin,
    crm_attribute,
    crm_node,
    crm_resource,
    crmadmin,
    pcs,
)
from tocsin_ocf.pacemaker.crm_error import EXIT_CODES
from tocsin_ocf.pacemaker.document import done, seconds_in
from tocsin_ocf.pacemaker.faults import FAULTS, fault_of

PLAIN = Request(("/usr/sbin/crm_resource",), 1.0, parse=done)


def raised(request: Request[None], reply: Reply) -> Fault:
    """Return the fault that a reply is."""
    with pytest.raises(Fault) as caught:
        request.read(reply)
    return caught.value


@pytest.mark.parametrize("code", range(256))
def test_every_exit_status_is_a_fault_with_its_code(code: int) -> None:
    """But 0; the 44 that Pacemaker knows have its name and its words."""
    if code == 0:
        assert PLAIN.read(Reply(0)) is None  # type: ignore[func-returns-value]
        return
    fault = raised(PLAIN, Reply(code, stderr="words\n"))
    assert type(fault) is FAULTS.get(code, Fault)
    assert (fault.code, fault.text, fault.command) == (code, "words", PLAIN)
    assert (fault.name, fault.meaning) == EXIT_CODES.get(code, ("", ""))
    assert str(fault).startswith(f"crm_resource: exit status {code}")
    assert str(fault).endswith("words")


@pytest.mark.parametrize(
    ("end", "kind"), [(End.TIMED_OUT, TimedOut), (End.NOT_EXECUTED, NotInstalled), (End.KILLED, Killed)]
)
def test_a_tool_without_an_exit_status_says_why(end: End, kind: type[Fault]) -> None:
    """Each of the three."""
    fault = raised(PLAIN, Reply(None, stderr="No such file\n", end=end))
    assert type(fault) is kind
    assert str(fault) == f"crm_resource: {end.value}: No such file"


@pytest.mark.parametrize(
    ("resource", "node", "text", "kind"),
    [
        ("web", "", "no such thing", NoSuchResource),
        ("", "n1", "no such thing", NoSuchNode),
        ("", "", "no such thing", NoSuchObject),
        ("web", "n1", "Resource web not found", NoSuchResource),
        ("web", "n1", "Node 'n1' not found", NoSuchNode),
        ("web", "n1", "web on n1: nothing", NoSuchObject),
        ("web", "n1", "website, n10, n1.example", NoSuchObject),
    ],
)
def test_what_is_missing_is_what_the_request_names(resource: str, node: str, text: str, kind: type[Fault]) -> None:
    """Where it names both, the words decide; where they do not, nobody guesses."""
    request = Request(("/usr/sbin/x",), 1.0, parse=done, resource=resource, node=node)
    assert type(raised(request, Reply(105, stderr=text))) is kind


def test_a_document_that_says_it_failed_is_believed_whatever_the_exit_status() -> None:
    """Both count; and an answer of its own, where the exit status is one."""
    xml = '<pacemaker-result api-version="2.25"><status code="{}" message="so"/></pacemaker-result>'
    assert PLAIN.read(Reply(0, xml.format(0))) is None  # type: ignore[func-returns-value]
    fault = raised(PLAIN, Reply(0, xml.format(102)))
    assert (type(fault), fault.text) == (NotConnected, "so")
    with pytest.raises(NotConnected):
        crm_attribute.get_options().read(Reply(105, xml.format(102)))
    assert crm_attribute.get_options().read(Reply(105, xml.format(105))) == {}


def test_a_node_that_is_not_there_has_no_promotion_score() -> None:
    """It is a fault, as it is of its attributes; that there is no score is an answer."""
    gone, none = recording("2.1.5", "crm_attribute-no-node"), recording("2.1.5", "crm_attribute-no-promotion")
    with pytest.raises(NoSuchNode, match="Could not map name=n9"):
        crm_attribute.get_promotion("web", "n9").read(gone.reply)
    assert crm_attribute.get_promotion("web", "n9").read(none.reply) is None


def test_the_agents_exit_code_is_an_answer_and_the_tools_is_a_fault() -> None:
    """They are one number: whether the agent ran at all stands in the document."""
    xml = '<pacemaker-result api-version="2.25">{}<status code="4" message="no"/></pacemaker-result>'
    ran = '<resource-agent-action><agent-status code="4" reason="locked"/></resource-agent-action>'
    assert crm_resource.force_check("web").read(Reply(4, xml.format(ran))) == (4, "locked")
    with pytest.raises(NotPermitted):
        crm_resource.force_check("web").read(Reply(4, xml.format("")))


@pytest.mark.parametrize(("said", "expected"), [("1\n", True), ("0\n", False)])
def test_quorum_is_read_from_plain_text(said: str, expected: bool) -> None:
    """What crm_node says before 2.1.7; anything else is nothing that it says."""
    request = crm_node.quorum(Version(2, 1, 6))
    assert request.read(Reply(0, said)) is expected
    for junk in ("", "yes", "2"):
        with pytest.raises(Unreadable):
            request.read(Reply(0, junk))
        with pytest.raises(Unreadable):
            crm_node.list_nodes(Version(2, 1, 6)).read(Reply(0, f"x{junk} n1 member\n"))


def test_an_unknown_option_means_that_the_tool_is_too_old() -> None:
    """A wrong one is a fault of the caller, and only in these two exit statuses the words count."""
    assert type(fault_of("x: Unknown option --output-as=xml", 64)) is BadVersion
    assert type(fault_of("x: Cannot parse integer", 64)) is pacemaker.BadUsage
    assert type(fault_of("x: Unknown option", 102)) is NotConnected


def test_a_code_can_mean_something_else_to_one_command() -> None:
    """Crmadmin --nodes reads the configuration: no input is no cluster."""
    with pytest.raises(NotConnected) as caught:
        crmadmin.nodes().read(Reply(66))
    assert caught.value.name == "CRM_EX_NOINPUT"
    assert type(raised(PLAIN, Reply(66))) is Fault


@pytest.mark.parametrize("secret", ["s3cret", "a<b&c\"d'e", "12345", "ünïcode"])
def test_a_secret_is_in_nothing_that_is_printed(secret: str) -> None:
    """Neither as it is nor as it stands in XML; it is what goes to standard input."""
    request = cibadmin.set_parameter(Primitive("web"), "passwd", secret)
    assert request.stdin
    assert cibadmin.read_primitive(cibadmin.read_cib(Reply(0, request.stdin))).parameters == {"passwd": secret}
    echoed = f"cannot update {secret}\n {request.stdin}\n"
    fault = raised(request, Reply(78, stderr=echoed))
    shown = [*request.argv, str(request), repr(request), str(fault), repr(fault), fault.text, repr(fault.args)]
    assert not [line for line in shown if secret in line or "<" in line.replace("< (", "")]
    assert "cannot update ***" in fault.text


def test_a_printed_configuration_is_no_part_of_a_fault() -> None:
    """Cibadmin prints all of it where a change does not fit; others' secrets are in there."""
    fault = raised(cibadmin.delete("//x"), Reply(78, stderr='does not fit\n  <nvpair name="passwd" value="theirs"/>\n'))
    assert fault.text == "does not fit"


def test_text_that_is_no_xml_is_kept_out_whole() -> None:
    """What goes to a tool's standard input need not be well-formed."""
    request = cibadmin.create("junk passwd=s3cret", "resources")
    assert "s3cret" not in raised(request, Reply(78, stderr="cannot parse junk passwd=s3cret")).text


def test_a_level_of_attributes_that_is_none_is_refused() -> None:
    """Before anything is executed."""
    with pytest.raises(ValueError, match="'nope'"):
        crm_resource.get_parameter("web", "x", "nope")
    with pytest.raises(ValueError, match="'nope'"):
        pcs.config("nope")
    with pytest.raises(KeyError):
        cibadmin.delete_parameter(Primitive("web"), "x")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        *[("20", 20.0), ("10s", 10.0), ("10sec", 10.0), ("1500ms", 1.5), ("9 ms", 0.009), ("5us", 5e-6)],
        *[("1min", 60.0), ("2m", 120.0), ("1h", 3600.0), ("1hr", 3600.0), ("1.5s", 1.5), ("0", 0.0), ("0s", 0.0)],
        *[("PT10S", 10.0), ("PT1M30S", 90.0), ("PT2H", 7200.0), ("P1DT1H", 90000.0), ("PT0S", 0.0)],
        *[("", 0.0), ("soon", 0.0), ("10parsecs", 0.0), ("-5s", 0.0)],
    ],
)
def test_durations_are_read_as_pacemaker_writes_them(word: str, expected: float) -> None:
    """In every spelling that the configuration may have."""
    assert seconds_in(word) == pytest.approx(expected)
