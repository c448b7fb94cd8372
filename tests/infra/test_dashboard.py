"""The dashboard shows what the polls leave, and both colours."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote

from quorumshift.cli.main import parser
from quorumshift.settings import evidence_group
from tests.infra.template import Template


def test_the_dashboard_shows_users_colours_and_the_raft_cluster(template: Template) -> None:
    page = template.one("AWS::CloudWatch::Dashboard")
    assert page["DashboardName"] == "sample"
    widgets = json.loads(template.text(page["DashboardBody"]))["widgets"]
    shown = {
        (metric[0], metric[1])
        for widget in widgets
        for metric in widget["properties"].get("metrics", ())
    }
    assert shown == {
        *(("AWS/States", f"Executions{end}") for end in ("Started", "Succeeded", "Failed")),
        *(("AWS/States", f"Executions{end}") for end in ("TimedOut", "Aborted")),
        ("AWS/ApplicationELB", "RequestCount"),
        ("AWS/ApplicationELB", "TargetResponseTime"),
        ("AWS/ApplicationELB", "HealthyHostCount"),
        *(("quorumshift", name) for name in ("Voters", "LeaderChanges", "Lag", "GreenTraffic")),
    }
    (hosts,) = [each for each in widgets if each["properties"].get("title") == "Healthy hosts"]
    assert len(hosts["properties"]["metrics"]) == 2


def test_what_to_type_next_can_be_typed(template: Template) -> None:
    """On the dashboard, and in what an alarm says."""
    page = template.one("AWS::CloudWatch::Dashboard")
    first, *_ = json.loads(template.text(page["DashboardBody"]))["widgets"]
    alarms = template.of("AWS::CloudWatch::Alarm").values()
    texts = [first["properties"]["markdown"], *(each["AlarmDescription"] for each in alarms)]
    assert len(texts) == 1 + 4 + 5
    for text in texts:
        commands = [" ".join(each.split()) for each in re.findall(r"`(quorumshift [^`]+)`", text)]
        assert commands, text
        for command in commands:
            assert parser().parse_args(command.split()[1:])
    group = re.search(r"#logsV2:log-groups/log-group/(\S+)\)", texts[0])
    assert group
    assert unquote(unquote(group[1].replace("$", "%"))) == evidence_group("sample")
