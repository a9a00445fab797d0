"""Resources in the cluster's configuration."""

from __future__ import annotations

import pytest

from tocsin_ocf.pacemaker import Fault, Reply
from tocsin_ocf.pacemaker.configured import parse_primitives, primitives

CIB = """<configuration><crm_config/>
<rsc_defaults><meta_attributes id="d">
  <nvpair id="d1" name="migration-threshold" value="3"/></meta_attributes></rsc_defaults>
<resources>
  <primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2"/>
  <primitive id="web" class="ocf" provider="tocsin" type="service">
    <instance_attributes id="w"><nvpair id="w1" name="command" value="/bin/x"/></instance_attributes>
    <operations><op id="o" name="monitor" interval="60s" on-fail="fence"/></operations>
  </primitive>
  <clone id="c"><meta_attributes id="c1"><nvpair id="c2" name="promotable" value="true"/>
    <nvpair id="c3" name="migration-threshold" value="2"/></meta_attributes>
    <group id="g"><primitive id="db" class="ocf" provider="tocsin" type="service">
      <meta_attributes id="m"><nvpair id="m1" name="is-managed" value="false"/></meta_attributes>
    </primitive></group></clone>
  <master id="old"><primitive id="older" class="ocf" provider="tocsin" type="service"/></master>
</resources></configuration>"""


def test_primitives_are_found_at_any_depth_with_what_they_inherit() -> None:
    """Clones, groups, and the defaults; another provider's are left out."""
    web, db, older = parse_primitives(Reply(0, CIB), "tocsin")
    assert (web.id, web.parameters, web.meta) == ("web", {"command": "/bin/x"}, {"migration-threshold": "3"})
    assert [(o.name, o.recurring, o.on_fail) for o in web.operations] == [("monitor", True, "fence")]
    assert (db.id, db.promotable, db.meta["migration-threshold"], db.meta["is-managed"]) == ("db", True, "2", "false")
    assert older.promotable and not web.promotable


@pytest.mark.parametrize("reply", [Reply(102), Reply(0, "x"), Reply(None)])
def test_a_cib_that_cannot_be_read_is_no_status(reply: Reply) -> None:
    """As of crm_mon."""
    with pytest.raises(Fault):
        primitives("tocsin").read(reply)
