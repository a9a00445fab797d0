"""Where the log of an agent goes, by the variables that Pacemaker passes on."""

import re
import syslog
from pathlib import Path

import pytest

from tocsin_ocf import ha_log
from tocsin_ocf.call import Call
from tocsin_ocf.ha_log import Log


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> "list[tuple[object, ...]]":
    """Keep what goes to syslog instead of sending it, on no terminal."""
    kept: list[tuple[object, ...]] = []
    monkeypatch.setattr(syslog, "openlog", lambda tag, _, facility: kept.append((tag.split("[")[0], facility)))
    monkeypatch.setattr(syslog, "syslog", lambda level, line: kept.append((level, line)))
    monkeypatch.setattr(ha_log, "isatty", lambda _: False)
    monkeypatch.setattr("sys.argv", ["/usr/lib/ocf/resource.d/example/spool", "start"])
    return kept


def log(**variables: str) -> Log:
    """Return the log of a call."""
    return Log(Call({name.encode(): str(value).encode() for name, value in variables.items()}))


def test_a_line_goes_to_the_facility_that_pacemaker_names(sent: "list[tuple[object, ...]]") -> None:
    """With the agent's name and the resource's, as the shell library has them."""
    log(HA_LOGFACILITY="local3", OCF_RESOURCE_INSTANCE="web").info("two\nlines")
    log(HA_LOGFACILITY="nonsense").error("x\0y")
    assert sent == [
        *(("spool(web)", syslog.LOG_LOCAL3), (syslog.LOG_INFO, "INFO: two lines")),
        *(("spool", syslog.LOG_DAEMON), (syslog.LOG_ERR, "ERROR: x?y")),
    ]


def test_what_is_no_utf_8_does_not_fail_an_action(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a file name that a reason tells; syslog(3) takes text that can be encoded, and nothing else."""
    kept: list[bytes] = []
    monkeypatch.setattr(syslog, "openlog", lambda tag, *_: kept.append(tag.encode()))
    monkeypatch.setattr(syslog, "syslog", lambda _, line: kept.append(line.encode()))
    monkeypatch.setattr(ha_log, "isatty", lambda _: False)
    Log(Call({b"HA_LOGFACILITY": b"daemon", b"OCF_RESOURCE_INSTANCE": b"w\xff"})).reason("no /srv/\udcff")
    assert b"(w?)" in kept[0] and kept[1] == b"ERROR: no /srv/?"


def test_debug_is_said_only_where_it_is_wanted(sent: "list[tuple[object, ...]]") -> None:
    """By HA_debug."""
    for value in ("", "0"):
        log(HA_LOGFACILITY="daemon", HA_debug=value).debug("x")
    assert sent == []
    log(HA_LOGFACILITY="daemon", HA_debug="1").debug("x")
    assert sent[-1] == (syslog.LOG_DEBUG, "DEBUG: x")


@pytest.mark.parametrize("facility", ["", "none"])
def test_without_any_place_stderr_is_one(
    sent: "list[tuple[object, ...]]", capsys: pytest.CaptureFixture[str], facility: str
) -> None:
    """Pacemaker copies it; an exit reason stands there already."""
    log(HA_LOGFACILITY=facility, HA_DATEFMT="DATE ").warning("x")
    log(HA_LOGFACILITY=facility).reason("y")
    assert (capsys.readouterr().err, sent) == ("DATE WARNING: x\n", [])


def test_files_get_dated_lines(sent: "list[tuple[object, ...]]", tmp_path: Path) -> None:
    """Debug lines only the one for them; a file that cannot be written fails nothing."""
    files = {"HA_LOGFILE": str(tmp_path / "log"), "HA_DEBUGLOG": str(tmp_path / "debug"), "HA_debug": "1"}
    log(**files).reason("x")
    log(**files).debug("y")
    log(HA_LOGFILE=str(tmp_path)).error("z")
    lines = {name: (tmp_path / name).read_text().splitlines() for name in ("log", "debug")}
    assert len(lines["log"]) == 1 and len(lines["debug"]) == 2
    assert re.fullmatch(r"\w{3} \d\d \d\d:\d\d:\d\d spool\[\d+\]:    ERROR: x", lines["log"][0])
    assert lines["debug"][1].endswith("DEBUG: y")


def test_on_a_terminal_it_is_said_there_and_nowhere_else(
    sent: "list[tuple[object, ...]]", capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody calls the agent by hand."""
    monkeypatch.setattr(ha_log, "isatty", lambda _: True)
    log(HA_LOGFACILITY="daemon").info("x")
    said = capsys.readouterr().err
    assert re.fullmatch(r"spool\[\d+\]: INFO: x\n", said) and sent == []


def test_the_log_daemon_is_asked_first_and_replaced_where_it_fails(
    sent: "list[tuple[object, ...]]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ha_logger."""
    tool, heard = tmp_path / "ha_logger", tmp_path / "heard"
    tool.write_text(f'#!/bin/sh\necho "$3 $4 $5" >>{heard}\ncase "$*" in *fail*) exit 1;; esac\n')
    tool.chmod(0o755)
    monkeypatch.setattr(ha_log, "HA_LOGGER", str(tool))
    for text in ("x", "fail"):
        log(HA_LOGFACILITY="daemon", HA_logd="yes", HA_debug="1").info(text)
    log(HA_LOGFACILITY="daemon", HA_use_logd="1", HA_debug="1").debug("d")
    assert heard.read_text().split("\n")[:3] == ["INFO: x  ", "INFO: fail  ", "-D ha-debug DEBUG: d"]
    assert [line for _, line in sent if isinstance(line, str)] == ["INFO: fail"]
    monkeypatch.setattr(ha_log, "HA_LOGGER", str(tmp_path / "none"))
    log(HA_LOGFACILITY="daemon", HA_LOGD="yes").info("z")
    assert sent[-1] == (syslog.LOG_INFO, "INFO: z")
