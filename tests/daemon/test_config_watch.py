"""Files that define services, while the services run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tocsin_daemon.config_watch import AT_ONCE, ConfigWatch
from tocsin_daemon.core.record import Record


@dataclass
class Named:
    """A resource as far as it matters here."""

    record: Record


def made(paths: list[Path]) -> tuple[ConfigWatch, list[tuple[str, str]], list[Named]]:
    """Return a watch over resources r0, r1, ..., and what it has reloaded."""
    resources = [Named(Record(f"r{number}", config=str(path))) for number, path in enumerate(paths)]
    reloaded: list[tuple[str, str]] = []
    watch = ConfigWatch(lambda: resources, lambda name, path: reloaded.append((name, path)))  # type: ignore[arg-type,return-value]
    return watch, reloaded, resources


def test_a_changed_file_is_reloaded_once(tmp_path: Path) -> None:
    """Whether it was written or replaced; the first look settles what a start has missed."""
    path = tmp_path / "web.yaml"
    path.write_text("command: a\n")
    watch, reloaded, _ = made([path])
    watch.look()
    watch.look()
    assert reloaded == [("r0", str(path))]
    fresh = tmp_path / "new"
    fresh.write_text("command: b\n")
    os.replace(fresh, path)
    watch.look()
    assert len(reloaded) == 1, "it may be half written"
    watch.look()
    watch.look()
    assert len(reloaded) == 2


def test_a_file_that_is_gone_is_looked_at_too(tmp_path: Path) -> None:
    """What that means, whoever reads it says."""
    path = tmp_path / "web.yaml"
    path.write_text("command: a\n")
    watch, reloaded, _ = made([path])
    watch.look()
    path.unlink()
    watch.look()
    watch.look()
    watch.look()
    assert len(reloaded) == 2


def test_many_changes_are_taken_some_at_a_time(tmp_path: Path) -> None:
    """Reading one takes a while, in which no death is noticed."""
    paths = [tmp_path / str(number) for number in range(2 * AT_ONCE)]
    watch, reloaded, _ = made(paths)
    for path in paths:
        path.write_text("command: a\n")
    watch.look()
    assert len(reloaded) == AT_ONCE
    watch.look()
    assert len(set(reloaded)) == 2 * AT_ONCE
    watch.forget()
    watch.look()
    assert len(reloaded) == 3 * AT_ONCE


def test_a_resource_without_a_file_or_that_is_gone_is_not_looked_at(tmp_path: Path) -> None:
    """And nothing of it is kept."""
    watch, reloaded, resources = made([tmp_path / "web.yaml"])
    resources[0].record = Record("r0")
    watch.look()
    assert reloaded == []
