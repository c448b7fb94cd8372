"""Faults and their moments: what can be typed, which event is which moment, and all of them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from quorumshift.domain.handover_steps import Kind
from quorumshift.rehearsal.fault_matrix import all_faults, expected, hand_over_steps
from quorumshift.rehearsal.faults import FAULTS, Deed, Fault, listing, parse_fault
from quorumshift.rehearsal.moments import Moment, Phase, read_moment
from quorumshift.rehearsal.result import Outcome
from quorumshift.rehearsal.samples import ROOT
from quorumshift.rehearsal.world import Event

PAGE = ROOT / "docs" / "rehearsal.md"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("bad-image", None),
        ("kill-green", Moment(Phase.DURING)),
        ("kill-green@before", Moment(Phase.BEFORE)),
        ("alarm@30%", Moment(Phase.TRAFFIC, 30)),
        ("alarm@100%", Moment(Phase.TRAFFIC, 100)),
        ("stop@handed-over", Moment(Phase.HANDED_OVER)),
        ("kill-green@promote-2", Moment(Phase.STEP, 2, Kind.PROMOTE)),
        ("lost-reply", Moment(Phase.STEP, 2, Kind.PROMOTE)),
        ("hand-over-killed@release-12", Moment(Phase.STEP, 12, Kind.RELEASE)),
    ],
)
def test_what_can_be_typed(text: str, moment: Moment | None) -> None:
    fault = parse_fault(text)
    assert (fault.name, fault.moment) == (text, moment)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kill-gren", "did you mean kill-green? choose one of bad-image, "),
        ("", "choose one of bad-image, "),
        ("bad-image@before", "bad-image has no moments; write bad-image alone"),
        ("kill-green@", "kill-green has no moment ''; it has before, "),
        ("kill-green@promote", "a step of the traffic such as 30%"),
        ("kill-green@promote-0", "promote-1"),
        ("api-outage@promote-2:0", "lasts 1 to 10800 seconds, not '0'"),
        ("api-outage@promote-2:1h", "as in api-outage@promote-2:600"),
        ("stop@promote-2:60", "stop has no moment 'promote-2:60'"),
        ("kill-green@101%", "30%"),
        ("kill-green@start", "before, "),
        ("lost-reply@before", "it has lock-1, admit-1, promote-1, "),
        ("kill-blue-leader@handed-over", "it has before, "),
        ("stop@replaceAll-1", "promote-1"),
    ],
)
def test_what_cannot_be_typed_is_answered_in_a_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        parse_fault(text)
    assert "\n" not in str(refused.value)


def event(kind: str, **data: object) -> Event:
    return Event(1.0, kind, "said", {"deployment": "d-1", **data})


@pytest.mark.parametrize(
    ("moment", "comes", "does_not"),
    [
        (
            "before",
            event("hook", event="BeforeAllowTraffic", status="InProgress"),
            event("hook", event="BeforeAllowTraffic", status="Succeeded"),
        ),
        ("30%", event("traffic", green=30, blue=70), event("traffic", green=40, blue=60)),
        ("during", event("traffic", green=50, blue=50), event("traffic", green=40, blue=60)),
        ("during", event("traffic", green=100, blue=0), event("traffic", port=8080)),
        (
            "after",
            event("traffic", event="AllowTraffic", status="Succeeded"),
            event("traffic", event="AllowTestTraffic", status="Succeeded"),
        ),
        (
            "handed-over",
            event("hook", event="AfterAllowTraffic", status="Succeeded"),
            event("hook", event="AfterAllowTraffic", answer="Succeeded"),
        ),
        ("handed-over", event("hook", event="AfterAllowTraffic", status="Succeeded"), event("x")),
    ],
)
def test_which_event_is_the_moment(moment: str, comes: Event, does_not: Event) -> None:
    found = read_moment(moment)
    assert found is not None
    assert found.comes_with(comes)
    assert not found.comes_with(does_not)


def test_no_event_is_a_step_of_the_hand_over() -> None:
    step = read_moment("promote-2")
    assert step is not None
    assert not step.comes_with(event("traffic", green=50))
    assert str(step) == "promote-2"


def test_the_steps_are_those_of_the_planner() -> None:
    assert " ".join(map(str, hand_over_steps(3))) == (
        "lock-1 admit-1 promote-1 remove-1 release-1 lock-2 admit-2 promote-2 admit-3 promote-3 "
        "transfer-1 remove-2 remove-3 release-2"
    )
    kinds = Counter(step.kind for step in hand_over_steps(5))
    assert (kinds[Kind.ADMIT], kinds[Kind.PROMOTE], kinds[Kind.REMOVE]) == (5, 5, 5)


@pytest.mark.parametrize("nodes", [3, 5])
def test_all_faults_can_be_typed_and_are_complete(nodes: int) -> None:
    names = all_faults(nodes)
    assert len(set(names)) == len(names)
    assert [parse_fault(name).name for name in names] == names
    assert {name.partition("@")[0] for name in names} == set(FAULTS)
    steps = {f"@{step}" for step in hand_over_steps(nodes)}
    for name in ("kill-green", "alarm", "stop", "stop-without-functions", "partition-leader"):
        mine = {each.removeprefix(name) for each in names if each.partition("@")[0] == name}
        assert {*steps, "@before", "@during", "@after"} <= mine
    assert {f"alarm@{share}%" for share in range(10, 101, 10)} <= set(names)
    assert "kill-blue-leader@transfer-1" in names


def test_a_blue_node_can_be_killed_as_long_as_one_votes() -> None:
    names = all_faults(3)
    assert "kill-blue-leader@remove-2" not in names
    assert "kill-blue-follower@remove-2" in names
    assert "kill-blue-follower@remove-3" in names
    assert "kill-blue-follower@release-2" not in names


def test_what_is_expected() -> None:
    assert expected("kill-green@promote-2") == (Outcome.DEPLOYED,)
    assert expected("kill-blue-leader@before") == (Outcome.ROLLED_BACK,)
    assert expected("stop@admit-3") == (Outcome.ROLLED_BACK,)
    assert expected("degraded") == (Outcome.FAILED,)
    assert expected("partition-leader@promote-2") != (Outcome.DEPLOYED,)


def test_what_nobody_wrote_down_has_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAULTS, "new", Fault("new", "something new", Deed.STOP))
    with pytest.raises(KeyError):
        expected("new")


@pytest.mark.parametrize("name", FAULTS)
def test_the_page_tells_the_same_end(name: str) -> None:
    row = next(line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` |"))
    told = row.rsplit("|", 2)[1]
    if told.strip() not in ("as above", "see below"):
        assert expected(name)[0] in told


def test_the_help_names_every_fault_and_its_moment() -> None:
    text = listing()
    assert all(name in text for name in FAULTS)
    assert "kill-green[@MOMENT, else during]" in text
    assert "%" not in text  # argparse would read it as a format
