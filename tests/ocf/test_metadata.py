"""The tables, and what is rendered from them."""

from xml.etree import ElementTree

import pytest

from tocsin_ocf import __version__, definition, metadata
from tocsin_ocf.actions.validate_all import SERVICE_PARAMETERS
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.declared import Declaration, Parameter, Text
from tocsin_ocf.parameters import PARAMETERS, SERVICE


@pytest.fixture
def root() -> ElementTree.Element:
    """Return the meta-data, parsed."""
    return ElementTree.fromstring(metadata.render(SERVICE))


def test_every_parameter_and_action_is_rendered(root: ElementTree.Element) -> None:
    """In the order of the tables, under OCF 1.1."""
    assert (root.get("name"), root.get("version"), root.findtext("version")) == ("service", __version__, "1.1")
    assert [one.get("name") for one in root.iter("parameter")] == [row.name for row in PARAMETERS]
    assert [one.get("name") for one in root.iter("action")] == [row.name for row in ACTIONS]


def test_a_definitions_keys_are_parameters(root: ElementTree.Element) -> None:
    """Those that fit one line; pcs has one `check`, in which there may be several."""
    names = [row.name for row in PARAMETERS]
    own = names[: names.index("config")]
    assert tuple(own) == SERVICE_PARAMETERS and {"checks" if name == "check" else name for name in own} <= set(
        definition.KEYS
    )


def test_what_the_daemon_applies_to_a_service_that_runs_is_reloadable(root: ElementTree.Element) -> None:
    """Pacemaker restarts the service for any other change, so it must be no more than those."""
    found = {one.get("name") for one in root.iter("parameter") if one.get("reloadable") == "1"}
    assert found == {
        *("check", "stop_signal", "stop_timeout", "restart_attempts", "restart_window", "monitor_hold"),
        *("promote_command", "demote_command", "notify_command"),
    }
    assert "reload-agent" in {one.get("name") for one in root.iter("action")}


def test_asyncmon_is_advertised_without_an_interval(root: ElementTree.Element) -> None:
    """Only then do pcs and crmsh accept an operation of that name; Pacemaker never schedules it."""
    found = {one.get("name"): one.attrib for one in root.iter("action")}
    assert found["asyncmon"]["interval"] == "0s"


def test_the_monitors_of_the_two_roles_differ_in_their_interval(root: ElementTree.Element) -> None:
    """Pacemaker tells them apart by nothing else, and runs one without a role for what is not promoted."""
    found = [(one.get("role"), one.get("interval")) for one in root.iter("action") if one.get("name") == "monitor"]
    assert found == [(None, "60s"), ("Promoted", "59s")]


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_a_text_teaches(row: "Parameter[object]") -> None:
    """A short one that fits a table, a long one that is more than it; printable ASCII, for any terminal."""
    assert 0 < len(row.short) <= 60 and not row.short.endswith(".")
    assert len(row.long) > 1.5 * len(row.short) and row.long.endswith(".")
    assert (row.short + row.long.replace("\n", "")).isascii() and (row.short + row.long.replace("\n", "")).isprintable()


def test_two_resources_share_a_daemon_but_no_service(root: ElementTree.Element) -> None:
    """What together must be unique is in a group; what the daemon is called with is not."""
    groups = {one.get("name"): one.get("unique-group") for one in root.iter("parameter")}
    assert {name for name, group in groups.items() if group == "service"} == {
        *("command", "user", "directory", "environment_file")
    }
    assert groups["config"] == "config"
    assert not any(groups[name] for name in ("port", "daemon", "daemon_args", "state_dir", "stop_signal"))


def test_markup_in_a_text_is_escaped() -> None:
    """It would end the document."""
    row = Text("x", "a < b & c", 'say "no"', default='"<&>"', reloadable=True)
    one = Declaration("one", "1.0", "One", "One.", (row,))
    (found,) = ElementTree.fromstring(metadata.render(one)).iter("parameter")
    assert (found.findtext("shortdesc"), found.findtext("longdesc")) == ("a < b & c", '\nsay "no"\n')
    content = found.find("content")
    assert content is not None and content.get("default") == '"<&>"' and found.get("reloadable") == "1"


def test_long_texts_are_broken_into_lines(root: ElementTree.Element) -> None:
    """For crmsh prints them as they come."""
    assert max(len(line) for one in root.iter("longdesc") for line in (one.text or "").splitlines()) <= 115
