"""Which driver runs a service: ours by name, others' through an entry point, and what is said of one that is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.running import means_in
from tocsin_daemon.children import Children
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.drivers import Means, driver_for, entry_points
from tocsin_daemon.drivers.pidfile import PidfileDriver
from tocsin_daemon.drivers.process import ProcessDriver

POINTS = """\
[tocsin.drivers]
tocsin-test-cloud = tocsin_test_cloud:CloudDriver
tocsin-test-broken = tocsin_test_cloud:NoSuchName
tocsin-test-raises = tocsin_test_cloud:raises
process = tocsin_test_cloud:CloudDriver
[console_scripts]
tocsin-test-script = tocsin_test_cloud:raises
"""
MODULE = """
class Poller: "One for all resources of a daemon."
POLLERS = {}
class CloudDriver:
    def __init__(self, resource, means):
        self.resource = resource
        self.poller = POLLERS.setdefault(id(means), Poller())
def raises(resource, means): raise OSError("no network")
"""


@pytest.fixture
def means(tmp_path: Path) -> Means:
    """Return what a driver may use."""
    from twisted.internet import reactor

    return means_in(tmp_path, Children(reactor))  # type: ignore[arg-type]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a distribution of somebody else's."""
    info = tmp_path / "site" / "tocsin_test_cloud-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tocsin-test-cloud\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "site" / "tocsin_test_cloud.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield
    sys.modules.pop("tocsin_test_cloud", None)


@pytest.mark.parametrize(("name", "kind"), [("process", ProcessDriver), ("pidfile", PidfileDriver)])
def test_ours_are_there_by_name(means: Means, name: str, kind: type) -> None:
    """Nobody else can take their names."""
    driver = driver_for("web", name, means)
    assert type(driver) is kind
    assert (driver.main, driver.known, driver.members(thorough=False)) == (None, {}, [])


def test_others_are_found_and_share_what_they_like(means: Means, installed: None) -> None:
    """One poller for all resources of a daemon hangs on its means."""
    one, two = (driver_for(name, "tocsin-test-cloud", means) for name in ("a", "b"))
    assert [vars(one)["resource"], vars(two)["resource"]] == ["a", "b"]
    assert vars(one)["poller"] is vars(two)["poller"]
    assert type(driver_for("web", "process", means)) is ProcessDriver


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tocsin-test-none", r"no driver tocsin-test-none is installed .* known are .*pidfile, process, systemd"),
        ("tocsin-test-script", "no driver tocsin-test-script"),
        ("tocsin-test-broken", "driver: tocsin-test-broken cannot be used: .*NoSuchName"),
        ("tocsin-test-raises", r"driver: tocsin-test-raises cannot be used: .*no network"),
    ],
)
def test_a_driver_that_is_not_there_is_an_error_of_this_node(
    means: Means, installed: None, name: str, words: str
) -> None:
    """Pacemaker tries another one."""
    with pytest.raises(CannotStart, match=words) as error:
        driver_for("web", name, means)
    assert error.value.code == 5


def test_python_3_9_gives_entry_points_by_group(means: Means, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mapping of lists, without select()."""
    from importlib import metadata

    point = metadata.EntryPoint("tocsin-test-old", "builtins:dict", "tocsin.drivers")
    monkeypatch.setattr(metadata, "entry_points", lambda: {"tocsin.drivers": [point]})
    assert entry_points()["tocsin-test-old"] is point
    monkeypatch.setattr(metadata, "entry_points", dict)
    assert sorted(entry_points()) == ["pidfile", "process", "systemd"]
    assert cast("object", driver_for("web", "pidfile", means))
