"""From the checks of a definition to what a schedule works on."""

import pytest

from tocsin_daemon.core.check import On, Spec, Window
from tocsin_daemon.core.spec import specs
from tocsin_ocf.values import Wrong


def test_a_check_that_says_nothing_has_the_defaults() -> None:
    """Two seconds, five seconds, three bad looks."""
    (spec,) = specs([{"tcp": "a:1"}])
    assert spec == Spec("tcp", "a:1", "tcp:a:1", 2.0, 5.0, 1, 3, None, 0.0, On.FAIL, On.DEGRADE, "", {})


@pytest.mark.parametrize(("kind", "target"), [("exec", "/bin/x"), ("ocf", "a:b")])
def test_what_runs_a_process_is_looked_at_less_often(kind: str, target: str) -> None:
    """It is dearer."""
    (spec,) = specs([{kind: target}])
    assert (spec.interval, spec.timeout, spec.fall) == (10.0, 20.0, 3)
    (own,) = specs([{kind: target, "interval": "1s", "timeout": 2}])
    assert (own.interval, own.timeout) == (1.0, 2.0)


def test_what_is_told_counts_at_once() -> None:
    """Nobody looks a second time."""
    assert [spec.fall for spec in specs("systemd:x sd_notify:5s")] == [1, 1]


def test_every_common_option_is_read() -> None:
    """Times as seconds, words as what they mean; the kind's own stay as they are."""
    (spec,) = specs(
        [
            {
                "http": "https://x",
                "name": "page",
                "interval": "500ms",
                "timeout": "1m",
                "rise": "2",
                "window": "3 of 5",
                "start_grace": 5,
                "on": "degrade",
                "on_error": "ignore",
                "role": "promoted",
                "status": 204,
                "headers": {"Host": "y"},
            }
        ]
    )
    options = {"status": 204, "headers": {"Host": "y"}}
    window = Window(3, 5)
    expected = Spec(
        "http", "https://x", "page", 0.5, 60.0, 2, 3, window, 5.0, On.DEGRADE, On.IGNORE, "promoted", options
    )
    assert spec == expected


def test_every_check_has_a_name_of_its_own() -> None:
    """Short, printable, and the same whenever the same checks are read."""
    long = "/" + "x" * 100
    checks = [
        *({"tcp": "a:1"}, {"tcp": "a:1"}, {"tcp": "b:1", "name": "tcp:a:1#2"}, {"tcp": "a:1"}),
        *({"http": "http://x/"}, {"ocf": "ocf:heartbeat:a"}, {"ocf": "heartbeat:b"}),
        *({"exec": ["/x", "a\nb"]}, {"process": {"rss": 1, "cpu": 2}}, {"file": long}),
    ]
    names = [spec.name for spec in specs(checks)]
    assert names == [
        *("tcp:a:1", "tcp:a:1#3", "tcp:a:1#2", "tcp:a:1#4", "http://x/", "ocf:heartbeat:a", "ocf:heartbeat:b"),
        *("exec:/x", "process:rss cpu"),
        f"file:{long[:52]}...",
    ]
    assert len(names[-1]) == 60


def test_names_hold_no_secret() -> None:
    """They are in the CIB and the log; tokens stand in URLs, passwords in commands."""
    checks = [{"http": "http://x/health?token=secret"}, {"exec": "/x -p secret"}, {"exec": ["/y", "secret"]}]
    assert [spec.name for spec in specs(checks)] == ["http://x/health", "exec:/x", "exec:/y"]


def test_wrong_checks_are_refused_with_every_fault() -> None:
    """A record may have been written by another version."""
    with pytest.raises(Wrong) as found:
        specs([{"tcp": "x"}, {}])
    assert [place for place, _ in found.value.places] == ["[0].tcp", "[1]"]
