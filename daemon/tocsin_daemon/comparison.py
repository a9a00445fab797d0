"""Compares, after each start, the configured `on-fail` of monitor and asyncmon, and warns of a difference."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core.on_fail import mismatch
from tocsin_ocf import pacemaker

if TYPE_CHECKING:
    from tocsin_daemon.reporter import ClusterTools, Subject

log = Logger()


class Comparison:
    """The comparison for one resource; what it finds stands in the record, hence in status and reasons."""

    def __init__(self, subject: Subject, cluster: ClusterTools) -> None:
        """Compare for `subject` through these tools."""
        self._subject = subject
        self._cluster = cluster

    def make(self) -> None:
        """Ask how the resource is configured; nothing waits for the answer."""
        resource = self._subject.record.resource
        done = self._cluster.configuration(resource).addCallback(self._compared)
        done.addErrback(lambda failure: log.failure("{resource}: not compared", failure, resource=resource))

    def _compared(self, reply: pacemaker.Reply) -> None:
        try:
            warning = mismatch(pacemaker.parse_operations(reply))
        except pacemaker.NoStatus:
            return  # not under Pacemaker, or not now: there is nothing to compare
        record = self._subject.record
        if warning:
            log.warn("{resource}: {warning}", resource=record.resource, warning=warning)
        if warning != record.warning:
            self._subject.change(replace(record, warning=warning), warning)
