"""The failures of a resource, whatever holds it."""

from __future__ import annotations

from typing import TypeVar

import pytest

from tocsin_ocf.pacemaker import Pacemaker, Reply, Request

FAILED = """<crm_mon>
  <resources>
    <clone id="uni-clone"><resource id="uni:0"/><resource id="uni:1"/></clone>
    <group id="stack"><resource id="web"/></group>
  </resources>
  <node_history><node name="n1">
    <resource_history id="uni:1" fail-count="2"/>
    <resource_history id="web" fail-count="1"/>
    <resource_history id="gone" fail-count="3"/>
  </node></node_history>
  <failures>
    <failure op_key="uni:1_monitor_10000"/>
    <failure op_key="web_start_0"/>
    <failure op_key="gone_stop_0"/>
  </failures>
</crm_mon>"""

_T = TypeVar("_T")


class FailedCluster:
    """Answers each request with what has failed."""

    def ask(self, request: Request[_T]) -> _T:
        """Return the answer."""
        return request.read(Reply(0, FAILED))


@pytest.mark.parametrize(
    ("resource", "failed", "count"),
    [
        ("web", ["web"], 1),
        ("stack", ["web"], 1),
        ("uni", ["uni:1"], 2),
        ("uni-clone", ["uni:1"], 2),
        ("uni:0", [], 0),
        ("gone", ["gone"], 3),
    ],
)
def test_a_group_or_clone_has_the_failures_of_what_it_holds(resource: str, failed: list[str], count: int) -> None:
    """As its status is that of its instances; what is no longer shown has its own."""
    named = Pacemaker(FailedCluster()).resource(resource)
    assert [each.resource for each in named.failures()] == failed
    assert sum(each.count for each in named.fail_counts()) == count
