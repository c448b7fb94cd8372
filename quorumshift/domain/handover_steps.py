"""The words of a hand-over: a goal, a step, a configuration, a plan. All of them are plain data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Goal:
    """Which addresses shall vote in the end, and no others."""

    voters: frozenset[str]


class Kind(StrEnum):
    """What one step does.

    ``REPLACE_ALL``: one change of all voters at once, where the service has joint consensus.
    """

    ADMIT = "admit"
    PROMOTE = "promote"
    TRANSFER = "transfer"
    REMOVE = "remove"
    LOCK = "lock"
    RELEASE = "release"
    REPLACE_ALL = "replaceAll"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation. Doing it twice does no harm.

    ``address``, ``raft_id``, ``task`` (ARN): of the node it concerns. A lock or a release may
    concern several tasks: ``tasks`` are all of them, ``task`` is the first. ``voters``: the Raft
    ids of all voters after a ``REPLACE_ALL``, else empty.
    """

    kind: Kind
    address: str
    raft_id: str | None
    task: str | None
    reason: str
    tasks: tuple[str, ...] = ()
    voters: tuple[str, ...] = ()


Refused = frozenset[tuple[Kind, str]]
"""Steps, each on the node at an address, that were refused for so long that another way is wanted.
Of a lock or a release the address does not count."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """One row of a path; nodes are addresses, sorted.

    ``step``: what leads here, ``None`` for the present. ``unhealthy``: voters that do not count.
    ``blue``, ``green``: how many voters of either colour there are. ``green_may_vanish``: the rest
    is a quorum without green; likewise blue. ``point_of_no_return``: from here on green may not
    vanish any more, while from the row before it might.
    """

    step: Step | None
    voters: tuple[str, ...]
    learners: tuple[str, ...]
    leader: str
    locked: tuple[str, ...]
    unhealthy: tuple[str, ...]
    blue: int
    green: int
    quorum: int
    tolerance: int
    green_may_vanish: bool
    blue_may_vanish: bool
    point_of_no_return: bool

    @property
    def mixed(self) -> bool:
        """Whether losing either colour would lose the quorum."""
        return not self.green_may_vanish and not self.blue_may_vanish

    def without(self, addresses: frozenset[str]) -> int:
        """The tolerance that is left if the nodes at ``addresses`` die; negative: no quorum."""
        lost = addresses & (frozenset(self.voters) - frozenset(self.unhealthy))
        return self.tolerance - len(lost)


class Cover(StrEnum):
    """What the locks keep at every moment of a path, as far as ECS grants enough of them.

    ``QUORUM``: a quorum of the voters is locked. ``EITHER``: if all unlocked tasks of either colour
    ended, a quorum would be left. ``NONE``: nothing; the policy allowed it.
    """

    QUORUM = "quorum"
    EITHER = "either"
    NONE = "none"


class Next(StrEnum):
    """What a plan says to do now. ``BLOCKED``: waiting will not help."""

    STEP = "step"
    WAIT = "wait"
    DONE = "done"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Plan:
    """The next step of a hand-over, and the path it belongs to.

    ``step`` is set exactly when ``decision`` is ``STEP``. ``reason``: why, or what it waits for.
    ``advice``: what a person can do; empty where nothing is to be done. ``path``: the present
    configuration, then each that follows; empty while the present is not known. ``crossed``: the
    present is past the point of no return (blue alone is no quorum). ``resting``: it waits because
    the policy asks to bake here; plan again without ``bake_before_majority`` to go on. ``cover``:
    what the locks keep at every moment of the path.
    """

    decision: Next
    step: Step | None
    reason: str
    advice: str
    path: tuple[Configuration, ...]
    crossed: bool
    resting: bool = False
    cover: Cover = Cover.QUORUM

    @property
    def sentence(self) -> str:
        """Reason and advice as one text."""
        return f"{self.reason} {self.advice}".strip()
