"""What has changed between two looks at a cluster."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from tocsin_ocf.pacemaker import (
    Change,
    ClusterStatus,
    Failure,
    Kind,
    Node,
    NotConnected,
    NotPermitted,
    Resource,
    Role,
    Ticket,
)
from tocsin_ocf.pacemaker.changes import compare, watch

NODE = Node("n1", online=True, maintenance=False, standby=False, shutdown=False, remote=False)
WEB = Resource("web", managed=True, maintenance=False, nodes=("n1",), role=Role.STARTED)
BASE = ClusterStatus(maintenance=False, nodes={"n1": NODE}, instances=(WEB,), dc="n1", quorum=True)

STEPS: list[tuple[ClusterStatus, list[Change]]] = [
    (BASE, []),
    (replace(BASE, maintenance=True), [Change(Kind.MAINTENANCE, "", "off", "on")]),
    (replace(BASE, quorum=False), [Change(Kind.QUORUM, "", "yes", "no")]),
    (replace(BASE, dc="n2"), [Change(Kind.DC, "", "n1", "n2")]),
    (replace(BASE, nodes={"n1": replace(NODE, standby=True)}), [Change(Kind.NODE, "n1", "online", "standby")]),
    (replace(BASE, nodes={"n1": replace(NODE, online=False)}), [Change(Kind.NODE, "n1", "online", "offline")]),
    (
        replace(BASE, nodes={"n1": replace(NODE, online=False, unclean=True)}),
        [Change(Kind.NODE, "n1", "online", "unclean")],
    ),
    (replace(BASE, nodes={"n1": replace(NODE, shutdown=True)}), [Change(Kind.NODE, "n1", "online", "shutting down")]),
    (
        replace(BASE, instances=(replace(WEB, failed=True, managed=False),)),
        [Change(Kind.RESOURCE, "web", "Started", "Started, failed, unmanaged", "n1")],
    ),
    (
        replace(BASE, instances=(replace(WEB, pending="Stopping"),)),
        [Change(Kind.RESOURCE, "web", "Started", "Stopping", "n1")],
    ),
    (
        replace(BASE, instances=(replace(WEB, nodes=("n2",)),)),
        [Change(Kind.RESOURCE, "web", "Started", "", "n1"), Change(Kind.RESOURCE, "web", "", "Started", "n2")],
    ),
    (
        replace(BASE, failures=(Failure("web_monitor_10000", "n1", 7, code=7, reason="gone"),)),
        [Change(Kind.FAILURE, "web_monitor_10000", "", "call 7: 7 gone", "n1")],
    ),
    (replace(BASE, attributes={"n1": {"a": "b"}}), [Change(Kind.ATTRIBUTE, "a", "", "b", "n1")]),
    (replace(BASE, tickets=(Ticket("t", granted=True),)), [Change(Kind.TICKET, "t", "", "granted")]),
]


@pytest.mark.parametrize(("after", "expected"), STEPS)
def test_a_difference_is_a_change_and_no_difference_is_none(after: ClusterStatus, expected: list[Change]) -> None:
    """There, and back."""
    assert list(compare(BASE, after)) == expected
    back = [replace(change, before=change.after, after=change.before) for change in expected]
    assert list(compare(after, BASE)) == back
    assert compare(after, after) == ()


@pytest.mark.parametrize(("first", "second"), list(combinations([status for status, _ in STEPS], 2)))
def test_changes_lead_from_one_status_to_the_other(first: ClusterStatus, second: ClusterStatus) -> None:
    """Whatever the two are: through any other, the last word on a thing is the same."""

    def last(*path: ClusterStatus) -> dict[tuple[Kind, str, str], str]:
        steps = [change for pair in zip(path, path[1:]) for change in compare(*pair)]
        return {(change.kind, change.subject, change.node): change.after for change in steps}

    through = last(first, BASE, second)
    assert {key: through[key] for key in last(first, second)} == last(first, second)


def test_a_watch_tells_once_that_the_cluster_cannot_be_asked() -> None:
    """Then that it can again, and what has changed meanwhile; any other fault ends it."""
    refused = "exit status 102 (CRM_EX_DISCONNECT, Not connected): refused"
    gone = NotConnected("refused", 102)
    looks = [gone, BASE, BASE, gone, gone, replace(BASE, dc="n2"), NotPermitted("no", 4)]

    def look() -> ClusterStatus:
        found = looks.pop(0)
        if isinstance(found, ClusterStatus):
            return found
        raise found

    slept: list[None] = []
    changes = watch(look, lambda: slept.append(None))
    assert [next(changes) for _ in range(5)] == [
        Change(Kind.CONNECTION, "", "", refused),
        Change(Kind.CONNECTION, "", refused, "connected"),
        Change(Kind.CONNECTION, "", "connected", refused),
        Change(Kind.CONNECTION, "", refused, "connected"),
        Change(Kind.DC, "", "n1", "n2"),
    ]
    with pytest.raises(NotPermitted):
        next(changes)
    assert len(slept) == 6
