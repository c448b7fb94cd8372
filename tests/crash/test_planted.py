"""Defects that were found before, put back one at a time: the matrix finds each of them.

Each stands for a kind; the number is the item of the review that found it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

import quorumshift.adapters.aws.alarms
import quorumshift.adapters.aws.client
import quorumshift.adapters.aws.evidence
import quorumshift.domain.handover_search
import quorumshift.domain.locks
import quorumshift.domain.undo
import quorumshift.usecases.hand_over
import quorumshift.usecases.questions
import quorumshift.usecases.turns
import quorumshift.usecases.watching
import tasks.hooks
import tasks.notify_rolling_back
import tasks.validate_request
import tasks.watchdog
import tests.crash.calls
import tests.crash.world
from quorumshift.adapters.aws.alarms import Watched
from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.adapters.aws.scaling import ServiceScaling
from quorumshift.domain.errors import DeploymentActive, Transient
from quorumshift.domain.rollout import Check, Progress
from quorumshift.domain.undo import Decision, Meaning
from quorumshift.usecases.ending import Ending
from quorumshift.usecases.keeping import Keeping
from quorumshift.usecases.serving import Measure
from quorumshift.usecases.vote_locks import VoteLocks
from tests.crash import machines
from tests.crash.campaign import plain, run
from tests.crash.faults import Fault, Schedule, read
from tests.crash.world import BEGAN, World, known_paths

Patch = pytest.MonkeyPatch


@pytest.fixture(autouse=True)
def paths_are_found_anew() -> Iterator[None]:
    """Those that were found are kept, and a defect finds others."""
    forget()
    yield
    forget()


def forget() -> None:
    """The paths that are known."""
    known_paths.cache_clear()
    quorumshift.domain.handover_search._space.cache_clear()


def _calls(kind: str, by: str = "", operation: str = "") -> Iterable[Schedule]:
    """This fault at each call of a function, or of an operation."""
    return [
        (Fault(kind, call.number),)
        for call in plain().calls
        if by in ("", call.by) and operation in ("", call.operation)
    ]


def _at(kind: str, begin: float, end: float, apart: float = 2.0) -> Iterable[Schedule]:
    """This fault, and what belongs to it, at each of these seconds."""
    moments = [begin + apart * number for number in range(int((end - begin) / apart) + 1)]
    return [read(kind.replace("AT", f"{moment:g}")) for moment in moments]


def _slow_and_stopped() -> Iterable[Schedule]:
    """The execution is stopped while a slow CreateDeployment is under way."""
    (slow,) = (call for call in plain().calls if call.operation == "create_deployment")
    return [
        (Fault("slow", slow.number), Fault("stop:deploy", slow.at - BEGAN + late))
        for late in (1, 5)
    ]


def _unseen_and_next() -> Iterable[Schedule]:
    """The poll that would have seen the success fails, and another deployment is started."""
    last = max(call.at for call in plain().calls if call.by == "PollDeployment")
    polls = [call for call in plain().calls if call.by == "PollDeployment" and call.at > last - 5]
    return [
        (Fault("denied", call.number), Fault("second", call.at - BEGAN + later))
        for call in polls[::3]
        for later in (1.0, 20.0)
    ]


# The defects


def nothing_asks_how_it_ended(patch: Patch) -> None:
    """2.1: what has succeeded is undone, whoever is next."""
    patch.setattr("quorumshift.usecases.overtaking.another", lambda *_: "")
    patch.setattr("quorumshift.usecases.overtaking.overtaken", lambda *_: "")
    rule = quorumshift.domain.undo.judge

    def judge(seen: Any) -> Meaning:
        if seen.rollout.progress is Progress.SUCCEEDED:
            return Meaning(Decision.HAND_BACK, "its votes are astray")
        return rule(seen)

    patch.setattr("quorumshift.usecases.watching.judge", judge)
    stop = quorumshift.usecases.watching.Watch.stop
    patch.setattr(
        "quorumshift.usecases.watching.Watch.stop",
        lambda self, deployment: (stop(self, deployment)[0], Progress.STOPPED),
    )


def what_passes_is_not_waited_for(patch: Patch) -> None:
    """2.2: an outage of minutes ends the deployment."""
    known = machines.definition("deploy")
    hasty = copy.deepcopy(known)
    for name in ("PollDeployment",):
        hasty["States"][name]["Catch"] = hasty["States"][name]["Catch"][1:]
    patch.setattr(
        machines, "definition", lambda name: hasty if name == "deploy" else _definition(name)
    )
    gather = quorumshift.usecases.watching.Watch._gather

    def gathers(self: Any, *given: Any) -> Any:
        try:
            return gather(self, *given)
        except Transient as error:
            raise OSError(str(error)) from error

    patch.setattr("quorumshift.usecases.watching.Watch._gather", gathers)


_definition = machines.definition.__wrapped__


def nobody_keeps(patch: Patch) -> None:
    """2.2: what is left when everybody has died is nobody's."""
    init = World.__init__

    def without(self: World, *given: Any, **more: Any) -> None:
        init(self, *given, **more)
        self.keeps = False

    patch.setattr(World, "__init__", without)


def the_keeper_needs_codedeploy(patch: Patch) -> None:
    """2.2: locks are not renewed while deployments cannot be asked about."""
    patch.setattr(Keeping, "_renew", lambda self: None)


def locks_last_two_hours(patch: Patch) -> None:
    """2.2: nobody can renew them while AWS is out of order."""
    short = replace(tests.crash.world.SERVICE.policy, lock_minutes=120)
    patch.setattr(tests.crash.world, "SERVICE", replace(tests.crash.world.SERVICE, policy=short))


def the_way_back_unlocks_voters(patch: Patch) -> None:
    """2.3: a voter of green ends because its lock is given back."""
    patch.setattr("quorumshift.domain.handover_space.ENDED", 0)
    patch.setattr(VoteLocks, "cover", lambda self, seen: None)


def the_way_back_shrinks(patch: Patch) -> None:
    """2.3: with less than the minimum of voters it is content."""
    rule: Any = quorumshift.usecases.turns.next_turn

    def turns(look: Any, *given: Any, **more: Any) -> Any:
        *known, policy = given
        if look.stopped:
            policy = replace(policy, minimum_voters=1, tolerance=0)
        return rule(look, *known, policy, **more)

    patch.setattr("quorumshift.usecases.turns.next_turn", turns)
    patch.setattr("quorumshift.domain.handover.lacking", lambda scene: 0, raising=False)
    patch.setattr("quorumshift.domain.handover_scene.lacking", lambda scene: 0)


def the_watchdog_looks_once(patch: Patch) -> None:
    """7: before the deployment has come to light."""
    patch.setattr(
        tasks.watchdog,
        "arrived",
        lambda deployments, clock, execution, since, ended: deployments.of_execution(
            execution, since
        ),
    )
    nobody_keeps(patch)


def the_sdk_repeats_what_is_done_once(patch: Patch) -> None:
    """8: and what the first try created is taken for another's."""
    patch.setattr(tests.crash.calls, "_ONCE", frozenset())

    def limited(self: Any, error: Exception, execution: str, since: str) -> Any:
        raise DeploymentActive("another deployment is under way") from error

    patch.setattr(CodeDeployDeployments, "_limited", limited)


def scaling_goes_on_whatever_it_was(patch: Patch) -> None:
    """9: restored to a constant."""
    patch.setattr(ServiceScaling, "resume", lambda self, deployment: bool(self._set(frozenset())))


def locks_of_others_are_given_back(patch: Patch) -> None:
    """9: a person's protection is taken for ours."""
    patch.setattr("quorumshift.adapters.discovery.ecs.foreign_until", lambda *_: None)
    patch.setattr("quorumshift.domain.lock_record.foreign_until", lambda *_: None)
    patch.setattr(
        "quorumshift.adapters.aws.protection.giving_back",
        lambda record, locked_until, now: 0 if locked_until and locked_until > now else None,
    )


def hooks_take_an_error_of_aws_for_a_no(patch: Patch) -> None:
    """10: one transient error rolls the deployment back."""
    asked = quorumshift.usecases.questions.ask

    def hasty(name: str, *given: Any) -> Any:
        question, answers, evidence, check, patience = given

        def once(deployment: str) -> Any:
            try:
                return check(deployment)
            except Transient as error:
                return Check(name, False, str(error))

        return asked(name, question, answers, evidence, once, patience)

    patch.setattr(tasks.hooks, "ask", hasty)


def skipping_is_asked_for_once(patch: Patch) -> None:
    """11: two that start in the same seconds."""
    known = copy.deepcopy(_definition("deploy"))
    known["States"]["RatherNot"]["Choices"] = []
    patch.setattr(
        machines, "definition", lambda name: known if name == "deploy" else _definition(name)
    )


def the_pace_forgets_the_history(patch: Patch) -> None:
    """12: looks every second, for as long as it takes."""
    patch.setattr(tasks.validate_request, "pace", lambda asked, loops: 1)


def alarms_that_are_off_ring(patch: Patch) -> None:
    """14: two readers of one setting."""
    rule = quorumshift.adapters.aws.alarms.watched
    patch.setattr(
        "quorumshift.adapters.aws.alarms.watched",
        lambda group: Watched(rule(group).names, off=False),
    )


def who_serves_is_said_unmeasured(patch: Patch) -> None:
    """15: by the plan, and not by the listener."""
    patch.setattr(Measure, "require", lambda self, revision, happened: f"{revision} serves")


def an_empty_page_is_the_last(patch: Patch) -> None:
    """16: and what the hook found is not told."""

    def lines(self: Any, deployment: str) -> list[str]:
        page = self._logs.get_log_events(
            logGroupName=self._group, logStreamName=deployment, startFromHead=True
        )
        return [event["message"] for event in page["events"]]

    patch.setattr(quorumshift.adapters.aws.evidence.EvidenceLog, "_lines", lines)


def an_empty_answer_is_an_answer(patch: Patch) -> None:
    """17: what a proxy said is read as AWS's."""
    patch.setattr(quorumshift.adapters.aws.client, "Answer", lambda operation, answer: answer)


def nobody_is_told_that_it_goes_back(patch: Patch) -> None:
    """18: a message that no test misses."""
    patch.setattr(
        tasks.notify_rolling_back, "handler", lambda event, context: {"subject": "rolling back"}
    )


def an_end_unlocks_what_runs(patch: Patch) -> None:
    """2.1: without a look at who is under way, and whose the votes are."""

    def clean_up(self: Ending, deployment: str) -> str:
        self.locks.give_back(self.observer.look(None))
        return ""

    patch.setattr(Ending, "clean_up", clean_up)


def the_end_keeps_its_locks(patch: Patch) -> None:
    """And nobody gives them back."""
    patch.setattr(Ending, "give_back_locks", lambda self, deployment: "")
    nobody_keeps(patch)


PLANTED: dict[Callable[[Patch], None], tuple[str, Callable[[], Iterable[Schedule]]]] = {
    nothing_asks_how_it_ended: ("", lambda: _unseen_and_next()),
    what_passes_is_not_waited_for: ("deployed", lambda: _at("outage:ecs@AT+240", 20, 90, 10)),
    nobody_keeps: ("astray", lambda: _at("outage:all@AT+5000 stop:deploy@AT", 60, 100, 10)),
    the_keeper_needs_codedeploy: ("quorum", lambda: _at("outage:codedeploy@AT+40000", 70, 85, 5)),
    locks_last_two_hours: ("quorum", lambda: _at("outage:all@AT+10800", 70, 85, 5)),
    the_way_back_unlocks_voters: ("minimum", lambda: _at("stop:deployment@AT", 80, 115)),
    the_way_back_shrinks: ("minimum", lambda: _at("stop:deployment@AT task@AT", 70, 110)),
    an_end_unlocks_what_runs: ("", lambda: _at("stop:deploy@AT", 60, 110, 5)),
    the_watchdog_looks_once: ("", lambda: _slow_and_stopped()),
    the_sdk_repeats_what_is_done_once: (
        "deployed",
        lambda: _calls("lost", operation="create_deployment"),
    ),
    scaling_goes_on_whatever_it_was: ("astray", lambda: [()]),
    locks_of_others_are_given_back: ("overruled", lambda: _at("protect@AT+9000", 0.5, 4.5)),
    hooks_take_an_error_of_aws_for_a_no: (
        "deployed",
        lambda: _calls("refused", operation="describe_task_sets"),
    ),
    skipping_is_asked_for_once: ("skips", lambda: _at("skip@AT", 0, 3, 0.2)),
    the_pace_forgets_the_history: ("history", lambda: [read("protect@3+9000#2")]),
    alarms_that_are_off_ring: ("deployed", lambda: _at("silenced@AT+600", 10, 60, 10)),
    who_serves_is_said_unmeasured: ("serves", lambda: _at("misled@AT+90", 95, 125, 5)),
    an_empty_page_is_the_last: ("reason", lambda: _calls("denied", "AfterInstall")),
    an_empty_answer_is_an_answer: ("", lambda: _calls("strange", "PollDeployment")),
    nobody_is_told_that_it_goes_back: ("announced", lambda: _at("stop:deployment@AT", 20, 60, 20)),
    the_end_keeps_its_locks: ("astray", lambda: [()]),
}
"""The defect → the kind of what it makes go wrong (empty: any), and the schedules that show it."""


@pytest.mark.parametrize("defect", PLANTED, ids=lambda defect: defect.__name__)
def test_the_matrix_finds_what_was_found_before(
    defect: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    kind, make = PLANTED[defect]
    schedules = list(make())
    defect(monkeypatch)
    found = (wrong for schedule in schedules for wrong in run(schedule).kinds)
    assert any(kind in ("", each) for each in found), f"not by any of {len(schedules)} schedules"


def test_none_of_those_schedules_goes_wrong_without_its_defect() -> None:
    for _, schedules in PLANTED.values():
        for schedule in schedules():
            ran = run(schedule)
            assert not ran.wrong, ran
