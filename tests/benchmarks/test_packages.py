"""What the benchmarks of packages and imports compare with."""

from __future__ import annotations

from benchmarks.imports import MOST, MOST_WITHOUT_AWS, Measured, clients
from infra.function_specs import SPECS
from infra.packaging import needs
from tests.infra.test_packaging import ROOT


def test_the_other_handler_makes_the_clients_that_the_function_may_need() -> None:
    by_state = {spec.state: clients(spec) for spec in SPECS}
    assert by_state["Plan"] == ("sns",)
    assert by_state["NotifySucceeded"] == ("sns",)
    assert by_state["AfterAllowTraffic"] == ("codedeploy", "logs", "stepfunctions")
    assert "secretsmanager" in by_state["Observe"]


def test_who_needs_no_client_loads_none_and_has_the_stricter_goal() -> None:
    found = needs(ROOT)
    without = {spec.state for spec in SPECS if not clients(spec)}
    assert without == {state for state in found if "botocore" not in found[state].libraries}
    assert Measured("Plan", 0, 1.0, 1.0, 4.0).most == MOST_WITHOUT_AWS
    assert Measured("Act", 2, 1.0, 5.0, 4.0).most == MOST
    assert Measured("Act", 2, 1.0, 5.0, 4.0).ratio == 0.25
