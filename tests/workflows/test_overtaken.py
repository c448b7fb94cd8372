"""A deployment that is the service's no more, and the one that follows it, whole and step by step:
the rendered machines with the real handlers, over a service in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

import tasks.wiring
from quorumshift.domain.rollout import Progress
from quorumshift.ports import Reply
from tests.tasks.aws import SETTINGS
from tests.workflows.test_paths import machine
from tests.workflows.two_deployments import TwoDeployments

LONGEST = 400


class Answers:
    """A probe to which every task answers."""

    def get(self, url: str) -> Reply:
        return Reply(True, url)

    websocket = get


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[TwoDeployments]:
    """Handlers called from here on see this AWS and this cluster, and its clock."""
    memory = TwoDeployments()
    for name, value in SETTINGS.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tasks.wiring, "client", memory.client)
    monkeypatch.setattr(
        "quorumshift.adapters.raft.control.raft_control", lambda *_: memory.service.raft
    )
    monkeypatch.setattr("quorumshift.adapters.clock.SystemClock", lambda: memory.service.clock)
    monkeypatch.setattr("quorumshift.adapters.http_probe.HttpProbe", lambda **_: Answers())
    tasks.wiring.wiring.cache_clear()
    yield memory
    tasks.wiring.wiring.cache_clear()


def until(aws: TwoDeployments, holds: Callable[[], bool]) -> None:
    for _ in range(LONGEST):
        if holds():
            return
        aws.go_on()
    raise AssertionError({name: walk.ended for name, walk in aws.walks.items()})


def progress(aws: TwoDeployments, deployment: str) -> Progress | None:
    return aws.known[deployment].rollout.progress if deployment in aws.known else None


def ends(aws: TwoDeployments) -> dict[str, str]:
    return {name: walk.ended.at for name, walk in aws.walks.items() if walk.ended}


def well(aws: TwoDeployments, tasks: set[str]) -> None:
    """These tasks run, vote, and nobody else; nothing is locked any more."""
    assert set(aws.service.tasks) == tasks
    assert aws.service.voters() == tasks
    assert aws.service.cluster.leads()
    assert aws.service.locked == set()


@pytest.mark.parametrize("offset", range(10))
def test_what_has_succeeded_is_not_undone_and_the_next_one_takes_nothing_from_it(
    aws: TwoDeployments, offset: int
) -> None:
    """The poll that would have seen the success fails; another deployment is started meanwhile,
    so many rounds later."""
    failed: list[str] = []

    def breaks(state: str) -> None:
        if state == "PollDeployment" and progress(aws, "d-1") is Progress.SUCCEEDED and not failed:
            failed.append(state)
            raise ValueError("nobody answered")

    aws.broken = breaks
    aws.begin("one", machine("deploy"), {})
    until(aws, lambda: bool(failed))
    for _ in range(offset):
        aws.go_on()
    aws.broken = lambda state: None
    aws.begin("two", machine("deploy"), {})
    until(aws, lambda: len(ends(aws)) == len(aws.walks))
    assert ends(aws) == {
        "one": "Deployed",
        "d-1-green": "HandedOver",
        "two": "Deployed",
        "d-2-green": "HandedOver",
    }
    well(aws, {"h1", "h2", "h3"})
    subjects = [subject for subject, _ in aws.messages]
    assert not [said for said in subjects if "rolling back" in said], subjects
    assert aws.service.deeds == []
