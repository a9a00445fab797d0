"""Asks, after each start, how the resource is configured, and warns of what keeps a failure from being told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from twisted.logger import Logger

from tocsin_daemon.core.on_fail import warnings
from tocsin_ocf import pacemaker

if TYPE_CHECKING:
    from tocsin_daemon.reporter import ClusterTools, Subject

log = Logger()

HOLD = "OCF_RESKEY_monitor_hold"
NODE_ID = "OCF_RESKEY_CRM_meta_on_node_uuid"
"""Of a Pacemaker Remote node it is the node's name, of a member of corosync's a number."""
NOTIFY = "OCF_RESKEY_CRM_meta_notify"
"""Pacemaker's word that it calls `notify`: "true" for the instances of a clone with that meta attribute."""


class Comparison:
    """The comparison for one resource; what it finds stands in the record, hence in status and reasons."""

    def __init__(self, subject: Subject, cluster: ClusterTools) -> None:
        """Compare for `subject` through these tools."""
        self._subject = subject
        self._cluster = cluster
        self._remote = ""
        self._notified = False

    def make(self, asked: Mapping[str, str]) -> None:
        """Ask how the resource is configured; nothing waits for the answer. `asked` is what the start was told."""
        node = self._subject.record.node
        held = asked.get(HOLD, "0").strip("0")
        self._remote = node if asked.get(NODE_ID) == node and not held else ""
        self._notified = asked.get(NOTIFY) == "true"
        resource = self._subject.record.resource
        done = self._cluster.configuration(resource).addCallback(self._compared)
        done.addErrback(lambda failure: log.failure("{resource}: not compared", failure, resource=resource))

    def _compared(self, reply: pacemaker.Reply) -> None:
        try:
            operations = pacemaker.parse_operations(reply)
        except pacemaker.NoStatus:
            return  # not under Pacemaker, or not now: there is nothing to compare
        record = self._subject.record
        definition = record.definition or {}
        promotable = bool(definition.get("promotion_score"))  # it has one wherever roles are meant
        deaf = bool(definition.get("notify_command")) and not self._notified
        warning = warnings(operations, promotable=promotable, remote=self._remote, deaf=deaf)
        if warning:
            log.warn("{resource}: {warning}", resource=record.resource, warning=warning)
        if warning != record.warning:
            self._subject.change(replace(record, warning=warning), warning)
