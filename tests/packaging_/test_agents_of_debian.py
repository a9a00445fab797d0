"""The page of what Debian's agents do: rendered from reports."""

from __future__ import annotations

from pathlib import Path

import agents_of_debian as debian
from tocsin_ocf.testing.observed import Call, Observations
from tocsin_ocf.testing.rules import report

PAGE = Path(__file__).resolve().parents[2] / "docs/agents-of-debian.md"


def test_a_page_counts_the_deviations_and_names_the_agents() -> None:
    """One that breaks rules, and one that was not even called."""
    bad = Observations("/x/heartbeat/Bad", {"meta-data": Call("meta-data", 1, err="/home/me/x: `no`")})
    mute = Observations("/x/heartbeat/Mute")
    text = debian.page([(one, report(one)) for one in (bad, mute)], "resource-agents 1:4.12.0-2")
    assert "2 agents, 1 of them without a deviation" in text and "resource-agents 1:4.12.0-2" in text
    assert "- meta-data: `exit 1: ~ 'no'`" in text and "| meta-data | 1 |" in text
    assert "## ocf:heartbeat:Mute, OCF not declared\n\nNo deviation seen." in text


def test_the_page_in_the_repository_is_of_all_agents_and_has_real_deviations() -> None:
    """At least ten; it is rendered anew by hand, for it is of one version of Debian's packages."""
    text = PAGE.read_text()
    assert text.count("\n## ocf:heartbeat:") > 100 and text.count("\n## ocf:pacemaker:") > 10
    assert text.count("\n- ") > 10
