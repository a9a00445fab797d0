"""Replies of Pacemaker's tools, from tests/ocf/recorded: of 2.1.5 as recorded, of 3.0 as its sources say."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tocsin_ocf.pacemaker import Reply, Request
from tocsin_ocf.pacemaker.document import done

RECORDED = Path(__file__).parents[1] / "ocf/recorded"
VERSIONS = ("2.1.5", "3.0")
SCHEMA = Path("/usr/share/pacemaker/api/api-result.rng")
"""What Pacemaker ships for its replies in XML."""

_T = TypeVar("_T")


@dataclass(frozen=True)
class Recording:
    """A command line, and what it was answered; `source` says where that is from."""

    name: str
    source: str
    command: str
    reply: Reply


def files(version: str) -> list[Path]:
    """Return the files of a version, by name."""
    return sorted((RECORDED / f"pacemaker-{version}").glob("*.reply"))


def recording(version: str, name: str) -> Recording:
    """Return a reply by its name."""
    return read(RECORDED / f"pacemaker-{version}/{name}.reply")


def read(file: Path) -> Recording:
    """Read a file: "# source", "$ command", "= exit status", "! line of standard error", then the standard output."""
    marked: dict[str, list[str]] = {"#": [], "$": [], "=": [], "!": []}
    lines = file.read_text().splitlines(keepends=True)
    while lines and lines[0][:2] in {f"{mark} " for mark in marked} | {"!\n"}:
        line = lines.pop(0)
        marked[line[0]].append(line[2:].rstrip("\n"))
    (source,), (command,), (code,) = marked["#"], marked["$"], marked["="]
    errors = "".join(f"{line}\n" for line in marked["!"])
    return Recording(file.stem, source, command, Reply(int(code), "".join(lines), errors))


def against_schema(xml: str) -> str:
    """Say what the shipped schema has against a document; "" for nothing. Needs xmllint."""
    argv = ["xmllint", "--noout", "--relaxng", str(SCHEMA), "-"]
    done = subprocess.run(argv, input=xml, capture_output=True, text=True, check=False)
    return f"{done.stderr}\n{xml}" if done.returncode else ""


class RecordedRunner:
    """Answers each request with what was recorded for the same command line; a change that was not, with success."""

    def __init__(self, version: str = "2.1.5") -> None:
        """Know the replies of a version."""
        self._known = {each.command: each.reply for each in map(read, files(version))}
        self.executed: list[Request[object]] = []

    def ask(self, request: Request[_T]) -> _T:
        """Return the answer."""
        self.executed.append(request)
        if str(request) not in self._known and request.parse is not done:
            raise AssertionError(f"no reply was recorded for: {request}")
        return request.read(self._known.get(str(request), Reply(0)))
