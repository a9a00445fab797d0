"""A definition that changes while the service runs: what can be applied is, the rest waits, faults change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from twisted.logger import Logger

from tocsin_daemon.core.answers import DONE, Answer
from tocsin_daemon.core.life import UP, Phase
from tocsin_daemon.core.record import Record
from tocsin_daemon.core.reload import compare, relimits

if TYPE_CHECKING:
    from tocsin_daemon.incarnation import Incarnation

log = Logger()


class Subject(Protocol):
    """The resource whose definition changes."""

    record: Record

    def change(self, record: Record, text: str = "") -> None:
        """Replace the record, on disk too, with one more line in its journal."""


class Reloading:
    """The changes of one resource's definition."""

    def __init__(self, subject: Subject, service: Incarnation) -> None:
        """Apply them to `service`."""
        self._subject = subject
        self._service = service

    def reload(self, definition: Mapping[str, Any], config: str = "") -> Answer:
        """Apply of a changed definition what can be applied to a service that runs; say what waits for a restart."""
        subject, service = self._subject, self._service
        if subject.record.phase is Phase.CLEARING:  # it is what the start that goes on is to run
            subject.change(replace(subject.record, next=definition, config=config, refused=""))
        if service.definition is None or not (subject.record.phase in UP or service.watch.running):
            return DONE
        present = service.definition.as_dict()
        limited = relimits(present, definition) and service.relimit(definition)
        change = compare(present, definition, limited=limited)
        waits = definition if change.waiting else None
        after = replace(subject.record, definition=change.merged, next=waits, config=config, refused="")
        if after != subject.record:
            log.info("{resource}: reload: {said}", resource=after.resource, said=change.words)
            subject.change(after, f"reload: {change.words}")
            service.redefine()
        return Answer(0, change.words if change.waiting else "")

    def refuse(self, why: str) -> None:
        """Keep what the service was defined as: its changed definition is faulty."""
        record = self._subject.record
        if why != record.refused:
            log.error("{resource}: the old definition stays: {why}", resource=record.resource, why=why)
            self._subject.change(replace(record, refused=why), f"the old definition stays: {why}")
