"""What the product needs from the outside, as protocols.

Each has one real implementation under ``quorumshift/adapters``. The words are the domain's: a
second deployment engine (ECS's own blue/green) is to fit behind ``Deployments`` unchanged. All of
them raise ``Transient`` for what another try may cure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from quorumshift.domain.build import Build
from quorumshift.domain.execution import Execution, Place
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import Colour, RaftView, Task
from quorumshift.domain.request import Source
from quorumshift.domain.rollout import Alarm, Check, Rollout, TaskFailure
from quorumshift.domain.serving import Led
from quorumshift.domain.undo import HandBack


class Clock(Protocol):
    """Time, passed in."""

    def now(self) -> float:
        """Epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class RaftControl(Protocol):
    """A service's Raft. ``via`` are addresses to ask, the leader's first where it is known.

    Changes are safe to repeat: what is already so is not an error. They raise ``ChangeRefused``
    when Raft says no, and ``Transient`` when nobody could be asked or no reply came.
    """

    dialect: Dialect

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Ask all addresses at once; never raises for a node that does not answer."""

    def admit(self, address: str, via: Sequence[str]) -> None:
        """Make the node at ``address`` a learner."""

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """Make a learner a voter."""

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """Hand leadership to this voter."""

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """Take a member out."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The service's tasks at one time; ``desired``: how many each colour shall have; ``steady``:
    the green task set (blue's, when there is no green) has reached the size it shall have."""

    tasks: tuple[Task, ...]
    desired: int
    steady: bool = True


class Discovery(Protocol):
    """Which tasks there are, where, and of which colour."""

    def roster(self, deployment: str | None) -> Roster:
        """All tasks that exist now.

        Colours are relative to ``deployment``: its own task set is green, what serves beside it or
        was replaced by it is blue, and what is neither (a later deployment's green, something left
        over) has no colour. When its own is gone, what serves is blue. ``None``: what serves is
        blue, and whatever else is left is green.
        """


@dataclass(frozen=True, slots=True)
class Server:
    """A node's own entry in the service's registry. ``raft_id``: decimal. ``address``: where it is
    asked. ``status``: its own word for what it is doing."""

    raft_id: str
    address: str
    status: str


@dataclass(frozen=True, slots=True)
class Registered:
    """The entries of nodes that are alive, and what is wrong with others of them, a sentence
    each."""

    servers: tuple[Server, ...]
    unknown: tuple[str, ...] = ()


class Registry(Protocol):
    """Where the service's nodes register themselves."""

    def servers(self) -> Registered:
        """Who is alive now. Raises ``MissingResource`` where another try cannot help."""


@dataclass(frozen=True, slots=True)
class GreenTask:
    """What a green task runs. ``image``: as its definition names it; ``digest``: as it was
    pulled, empty when that is not known."""

    task: str
    task_definition: str
    image: str
    digest: str


class GreenTasks(Protocol):
    """More about green than the roster tells."""

    def running(self, deployment: str) -> tuple[GreenTask, ...]:
        """What each green task runs."""

    def failures(self, deployment: str) -> tuple[TaskFailure, ...]:
        """Green tasks that stopped, oldest first."""


class TaskProtection(Protocol):
    """ECS task protection: the vote locks. What it was before a lock is written down beside it, and
    what somebody else protects is never unprotected."""

    def lock(self, tasks: Sequence[str], minutes: int) -> None:
        """Protect these tasks (ARNs) for so long at least. Raises ``ChangeRefused`` when ECS will
        not."""

    def release(self, tasks: Sequence[str]) -> None:
        """Let them be protected as they were before our locks. A task that is gone, or that is not
        locked by us, is no error."""


class Notifier(Protocol):
    """Tells people."""

    def publish(self, subject: str, message: str) -> None:
        """Send one message; of ``subject`` one line of at most 99 characters is told."""


@dataclass(frozen=True, slots=True)
class Started:
    """A rollout. ``adopted``: an earlier try of the same execution had started it."""

    id: str
    adopted: bool


@dataclass(frozen=True, slots=True)
class Ours:
    """A rollout that an execution of ours started. ``execution``: twelve hex digits derived from
    that one's id (``domain.marks``)."""

    id: str
    execution: str


class Deployments(Protocol):
    """The engine that exchanges blue for green. ``execution``: id of the one that asks; what it
    started is found again by it."""

    def start(
        self,
        task_definition: str,
        config: str,
        description: str,
        execution: str,
        since: str,
        *,
        replaces: str = "",
        ignore_alarms: bool = False,
    ) -> Started:
        """Start a rollout to this revision (ARN), or adopt the one that ``execution`` started
        after ``since`` (ISO 8601). ``replaces``: the revision that serves; ``ignore_alarms``: no
        alarm stops it. Raises ``DeploymentActive`` and ``DeploymentRefused``."""

    def look(self, deployment: str) -> Rollout:
        """How a rollout stands. Raises ``MissingResource``."""

    def stop(self, deployment: str) -> None:
        """Stop it and roll it back. One that has ended is no error."""

    def active(self) -> str | None:
        """The rollout under way, whoever started it."""

    def of_execution(self, execution: str, since: str) -> str | None:
        """The rollout that this execution started after ``since``, whatever became of it."""


class OurDeployments(Deployments, Protocol):
    """The engine, and what executions of ours started there."""

    def newest_of_ours(self, since: str) -> Ours | None:
        """The last rollout that any execution of ours started after ``since``."""


class Followers(Protocol):
    """The executions that started rollouts, and follow them."""

    def over_for(self, mark: str) -> float | None:
        """Seconds since the one with this mark has ended; ``None``: it runs, or is not known."""


class Told(Protocol):
    """What people were told before."""

    def first(self, cause: str) -> bool:
        """Whether nobody has asked for this cause before; only one of those who ask is the
        first."""


RECONCILE = "reconcile-"
"""How the name of a hand-over begins that belongs to no rollout."""


class HandOvers(Protocol):
    """The state machine that moves the votes. Never do two executions of it work on the same
    rollout at once."""

    def start(self, deployment: str, hook: str, goal: Colour) -> bool:
        """Start it, to answer the question ``hook`` in the end; the same twice is one execution.
        ``False``: it was started for another question."""

    def resume(self, deployment: str, execution: str) -> bool:
        """Let the execution (its id), which somebody stopped, go on where it stood: once.
        Whether it runs now."""

    def hand_back(self, deployment: str) -> None:
        """Call the votes home to blue, unless that is being done."""

    def state(self, deployment: str) -> HandBack:
        """How that stands."""

    def unanswered(self, deployment: str) -> str:
        """The question that the rollout's own hand-over was started to answer, where it has ended
        and not well; else empty."""

    def reconcile(self, cause: str) -> str:
        """Start one between rollouts, to have the serving tasks vote and nobody else; the same
        cause twice is one execution, unless that one has ended well. Its name, or empty: it was
        started before."""

    def running(self) -> tuple[str, ...]:
        """The names of those that run, for whatever reason; what started within the last seconds
        may be missed."""


class HookAnswers(Protocol):
    """Answers the deployment engine's question at one stage."""

    def answer(self, deployment: str, execution: str, succeeded: bool) -> None:
        """Say yes or no. A question that was answered before is no error."""


class Evidence(Protocol):
    """What the hooks answered, and what they saw."""

    def write(self, deployment: str, check: Check) -> None:
        """Keep one answer."""

    def read(self, deployment: str) -> tuple[Check, ...]:
        """All answers, oldest first."""


class Alarms(Protocol):
    """The alarms that watch a rollout."""

    def look(self) -> tuple[Alarm, ...]:
        """How each of them stands."""


class Scaling(Protocol):
    """The service's automatic scaling. What it was before it was suspended, and for which rollout
    that was done, is written down beside it."""

    def suspend(self, deployment: str) -> bool:
        """Stop it for this rollout, and remember how it was; what an earlier rollout remembered
        and did not restore counts as how it was. Whether there was anything to stop."""

    def resume(self, deployment: str | None) -> bool:
        """Let it be as it was, if this rollout suspended it (``None``: whichever did); nothing is
        done to what nobody of ours suspended. Whether there was anything to restore."""

    def suspended_for(self) -> str | None:
        """The rollout for which it is suspended; ``None``: for none of ours."""


class Builds(Protocol):
    """Builds an image from a commit."""

    def start(self, source: Source, mark: str) -> str:
        """Start (or adopt, by ``mark``) a build and return its id."""

    def look(self, build: str) -> Build:
        """How it stands."""

    def stop(self, mark: str) -> str | None:
        """Stop what ``mark`` started, if it still runs; its id."""


class TaskDefinitions(Protocol):
    """The service's task definition revisions."""

    def live(self) -> str:
        """ARN of the revision that serves now."""

    def resolve(self, name: str) -> str:
        """ARN for an ARN, ``family:revision``, ``current`` or ``previous``."""

    def image(self, task_definition: str) -> str:
        """The image of the service's container in this revision."""

    def with_image(self, image: str) -> tuple[str, bool]:
        """A revision like the live one with ``image``; and whether it had to be registered."""


class Images(Protocol):
    """Container images."""

    def resolve(self, image: str) -> str:
        """``image`` with its tag resolved to a digest. Raises ``InvalidRequest``."""

    def check(self, image: str) -> None:
        """Raises ``InvalidRequest`` for a task definition's image that may not be deployed."""

    def runs(self, image: str, digest: str) -> bool:
        """Whether a task of a task definition with ``image`` may run ``digest``; empty: unknown."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``ok``: it was the answer hoped for. ``text``: what was seen, for a person."""

    ok: bool
    text: str


class Probe(Protocol):
    """Asks the way the service's users do. Never raises."""

    def get(self, url: str) -> Reply:
        """Whether ``GET url`` is answered with 200."""

    def websocket(self, url: str) -> Reply:
        """Whether a WebSocket opens at ``url`` (``http://…`` or ``https://…``)."""


class ProductionRoute(Protocol):
    """The listener that users come through."""

    def leads_to(self) -> tuple[Led, ...]:
        """The target groups of its default action, with weights and healthy targets."""


class TaskRevisions(Protocol):
    """What each task of the service runs."""

    def revisions(self) -> Mapping[str, str]:
        """Address of a running task → ARN of its revision."""


class TrialRoute(Protocol):
    """The listener through which the new tasks are tried before they get traffic."""

    def healthy_targets(self) -> frozenset[str]:
        """Addresses that it sends requests to now."""


class Executions(Protocol):
    """The state machine that deploys, as whoever started it sees it."""

    def describe(self, arn: str) -> Execution:
        """One execution."""

    def place(self, arn: str) -> Place:
        """Where it stands."""

    def stop(self, arn: str, cause: str) -> None:
        """End the execution alone. One that has ended is no error."""
