"""What Pacemaker asks: environment variables in, values or ActionFailed out."""

import pytest

from tocsin_ocf.exit_codes import OCF_ERR_ARGS, OCF_ERR_CONFIGURED, ActionFailed, exit_reason
from tocsin_ocf.invocation import Invocation


def asked(**variables: str) -> Invocation:
    """Return a call with these variables, of which parameters are spelled in lower case."""
    names = {name: name if name.startswith("OCF") else f"OCF_RESKEY_{name}" for name in variables}
    return Invocation({names[name].encode(): value.encode() for name, value in variables.items()})


def test_what_is_not_set_has_a_default() -> None:
    """A call by hand sets next to nothing."""
    bare = asked()
    assert (bare.port, bare.state_dir, bare.timeout, bare.interval) == (9909, "/run/tocsin", 20000, 0)
    assert bare.parameter("command") == "" and bare.rundir.path == "/run/tocsin/9909"


def test_an_empty_parameter_is_not_set() -> None:
    """Tools can leave such behind."""
    assert asked(port="", state_dir="").rundir.path == "/run/tocsin/9909"


@pytest.mark.parametrize(
    ("timeout", "reserve"), [("20000", 1000), ("10000", 1000), ("5000", 500), ("100", 10), ("0", 1000), ("x", 1000)]
)
def test_the_agent_gives_up_before_its_timeout_and_the_daemon_before_the_agent(timeout: str, reserve: int) -> None:
    """So that the reason of whoever knows best is heard."""
    call = asked(OCF_RESKEY_CRM_meta_timeout=timeout)
    granted = int(timeout) if timeout.isdigit() and int(timeout) else 20000
    assert call.reserve == reserve
    assert granted - reserve - 50 <= call.remaining() * 1000 <= granted - reserve
    assert granted - 2 * reserve - 51 <= call.daemon_timeout() <= granted - 2 * reserve
    assert call.daemon_timeout() > 0


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "1.0", "٣", "999999", " 1"])
def test_a_port_is_a_number_that_tcp_knows(port: str) -> None:
    """6: no node could listen there."""
    with pytest.raises(ActionFailed) as failed:
        asked(port=port).port  # noqa: B018 a property
    assert failed.value.code == OCF_ERR_CONFIGURED
    assert failed.value.reason == f"parameter port: {port!r} is wrong; use a number from 1 to 65535, such as 9909"


@pytest.mark.parametrize("path", ["run", "./x", "/a\nb"])
def test_a_state_directory_is_an_absolute_path(path: str) -> None:
    """The agent's own directory is Pacemaker's."""
    with pytest.raises(ActionFailed) as failed:
        asked(state_dir=path).state_dir  # noqa: B018 a property
    assert failed.value.code == OCF_ERR_CONFIGURED and failed.value.reason.startswith("parameter state_dir: ")


@pytest.mark.parametrize("name", ["", "a/b", ".", "a b"])
def test_a_resource_has_an_id(name: str) -> None:
    """Pacemaker names it in OCF_RESOURCE_INSTANCE."""
    with pytest.raises(ActionFailed) as failed:
        asked(OCF_RESOURCE_INSTANCE=name).resource  # noqa: B018 a property
    assert failed.value.code == OCF_ERR_ARGS


def test_a_parameter_may_hold_any_bytes() -> None:
    """Environment variables are no text."""
    call = Invocation({b"OCF_RESKEY_command": b"/bin/\xff"})
    assert call.parameter("command") == "/bin/\udcff"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\r\n", "two lines"),
        ("tab\there", "tab here"),
        ("größe\x07", "gr??e?"),
        ("\udcff", "?"),
        ("x" * 120, "x" * 120),
        ("x" * 121, "x" * 117 + "..."),
    ],
)
def test_an_exit_reason_is_one_line_of_at_most_120_printable_bytes(text: str, line: str) -> None:
    """Pacemaker up to 3.0.1 cuts at 128, and what is not ASCII corrupted the CIB."""
    assert exit_reason(text) == line
