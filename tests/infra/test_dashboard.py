"""The dashboard shows what the polls leave, and both colours."""

from __future__ import annotations

import json

from tests.infra.template import Template


def test_the_dashboard_shows_users_colours_and_the_raft_cluster(template: Template) -> None:
    page = template.one("AWS::CloudWatch::Dashboard")
    assert page["DashboardName"] == "sample"
    widgets = json.loads(template.text(page["DashboardBody"]))["widgets"]
    shown = {
        (metric[0], metric[1]) for widget in widgets for metric in widget["properties"]["metrics"]
    }
    assert shown == {
        *(("AWS/States", f"Executions{end}") for end in ("Started", "Succeeded", "Failed")),
        *(("AWS/States", f"Executions{end}") for end in ("TimedOut", "Aborted")),
        ("AWS/ApplicationELB", "RequestCount"),
        ("AWS/ApplicationELB", "TargetResponseTime"),
        ("AWS/ApplicationELB", "HealthyHostCount"),
        *(("quorumshift", name) for name in ("Voters", "LeaderChanges", "Lag", "GreenTraffic")),
    }
    (hosts,) = [each for each in widgets if each["properties"]["title"] == "Healthy hosts"]
    assert len(hosts["properties"]["metrics"]) == 2
