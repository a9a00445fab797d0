"""The examples for Prometheus and Grafana: they speak of what there is, and mean what they say."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.requirements import require_program
from tocsin_daemon.core.edges import OUTCOMES
from tocsin_daemon.core.judgement import State
from tocsin_daemon.core.life import Phase
from tocsin_daemon.core.report import Stage

EXAMPLES = Path(__file__).resolve().parents[2] / "packaging/examples"
RULES = EXAMPLES / "prometheus-rules.yaml"
TESTS = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'tocsin_resource_phase{{instance="n1",resource="web",phase="failed"}}'
        values: '1 1 1'
      - series: 'tocsin_incidents_total{{instance="n1",resource="db",cause="exit"}}'
        values: '0+1x20'
      - series: 'tocsin_restarts_total{{instance="n1",resource="db"}}'
        values: '0 0 0'
    alert_rule_test:
      - alertname: TocsinServiceFailed
        eval_time: 30s
        exp_alerts: []
      - alertname: TocsinServiceFailed
        eval_time: 2m
        exp_alerts:
          - exp_labels: {{severity: critical, instance: n1, resource: web, phase: failed}}
            exp_annotations:
              summary: web has failed, and Pacemaker has not recovered it
              description: "Why: `tocsin explain web` on n1."
      - alertname: TocsinFlapping
        eval_time: 10m
        exp_alerts:
          - exp_labels: {{severity: warning, instance: n1, resource: db}}
            exp_annotations: {{summary: db fails again and again}}
      - alertname: TocsinRestartedHere
        eval_time: 2m
        exp_alerts: []
"""


def rules() -> list[dict[str, Any]]:
    """Return the alerts."""
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def questions() -> list[str]:
    """Return every expression in rules and dashboard."""
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    return [rule["expr"] for rule in rules()] + [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_metric_that_is_asked_for_exists() -> None:
    """A metric that was renamed would make an alert silent for ever."""
    exposition = pytest.importorskip("tocsin_daemon.metrics.exposition", reason="needs python3-prometheus-client")
    page = b"".join(exposition.Metrics(list, lambda _: None).pieces()).decode()
    known = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    asked = {name for question in questions() for name in re.findall(r"\b(?:tocsin|process)_\w+", question)}
    assert len(asked) > 10
    assert {re.sub("_bucket$", "", name) for name in asked} <= known


def test_every_label_value_that_is_asked_for_exists() -> None:
    """Phases, stages, states and outcomes are words of closed sets."""
    words = {
        "phase": {phase.value for phase in Phase},
        "stage": {stage.value for stage in Stage},
        "state": {state.value for state in State} | {"not checked"},
        "outcome": {stage.value for stage in OUTCOMES} | {"delivered", "retried", "lost"},
    }
    asked = [pair for question in questions() for pair in re.findall(r"(\w+)[=!]~?\"([^\"]*)\"", question)]
    for label, value in asked:
        if label in words:
            assert set(value.split("|")) <= words[label], (label, value)


def test_panels_and_alerts_have_names_of_their_own() -> None:
    """And each alert says what it means."""
    panels = json.loads((EXAMPLES / "grafana-dashboard.json").read_text())["panels"]
    for names in (
        [panel["id"] for panel in panels],
        [panel["title"] for panel in panels],
        [r["alert"] for r in rules()],
    ):
        assert len(set(names)) == len(names)
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in rules())


def test_promtool_agrees(tmp_path: Path) -> None:
    """The rules are good, and fire when they should."""
    promtool = require_program("promtool")
    subprocess.run([promtool, "check", "rules", RULES], check=True, stdout=subprocess.DEVNULL, timeout=60)
    test = tmp_path / "test.yaml"
    test.write_text(TESTS.format(rules=RULES))
    done = subprocess.run([promtool, "test", "rules", test], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
