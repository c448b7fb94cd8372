"""Observations for tests: by hand in one line, and arbitrary ones."""

from __future__ import annotations

from hypothesis import strategies as st

from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    Node,
    Report,
    Standing,
)

ETCD = Dialect("etcd", 1, leadership_transfer=True, removal=True, joins_need_every_voter=True)
NOW = 1_000_000.0
LATER = NOW + 7200
TERM, LAST = 7, 1000


def node(
    address: str,
    standing: Standing,
    *,
    leader: str | None = None,
    term: int = TERM,
    index: int = LAST,
    silent: bool = False,
    gone: bool = False,
    locked_until: float | None = None,
    ready: bool = True,
    joins: bool = False,
    alarms: tuple[str, ...] = (),
    learns: bool = False,
) -> Node:
    """One node: b… is blue, g… is green; its Raft id is ``id-<address>``."""
    member = standing is not Standing.OUTSIDE
    colour = Colour.BLUE if address.startswith("b") else Colour.GREEN
    return Node(
        address=address,
        colour=Colour.NONE if gone else colour,
        standing=standing,
        task=None if gone else f"task/{address}",
        ready=ready and not gone,
        locked_until=None if gone else locked_until,
        raft_id=f"id-{address}" if member else None,
        report=Report(
            f"id-{address}",
            term,
            leader and f"id-{leader}",
            index,
            index,
            joins_only=joins,
            alarms=alarms,
            learns=learns,
        )
        if member and not silent and not gone
        else None,
    )


def fleet(
    blue: int,
    green: int,
    *,
    desired: int | None = None,
    voters: str | None = None,
    learners: str = "",
    leader: str = "b1",
    locked: str = "",
    silent: str = "",
    gone: str = "",
    behind: str = "",
    unready: str = "",
    joins: str = "",
) -> ClusterObservation:
    """``blue`` and ``green`` tasks b1, b2, …, g1, …; the other words list addresses.

    Without ``voters``, blue votes. ``behind``: members whose log is empty; ``silent``: those that
    do not answer; ``gone``: members whose tasks have ended; ``unready``: tasks not ready;
    ``joins``: members that can admit and promote, and nothing else.
    """
    addresses = [f"b{at}" for at in range(1, blue + 1)] + [f"g{at}" for at in range(1, green + 1)]
    voting = voters.split() if voters is not None else addresses[:blue]
    nodes = tuple(
        node(
            address,
            Standing.VOTER
            if address in voting
            else Standing.LEARNER
            if address in learners.split()
            else Standing.OUTSIDE,
            leader=leader,
            index=0 if address in behind.split() else LAST,
            silent=address in silent.split(),
            gone=address in gone.split(),
            locked_until=LATER if address in locked.split() else None,
            ready=address not in unready.split(),
            joins=address in joins.split(),
        )
        for address in addresses
    )
    wanted = desired if desired is not None else max(blue, green)
    inferred = leader in joins.split()
    membership = Membership.INFERRED if inferred else Membership.CONFIRMED
    return ClusterObservation(NOW, nodes, wanted, membership)


@st.composite
def observations(draw: st.DrawFn, members: int = 7) -> ClusterObservation:
    """Anything that up to ``members`` nodes may be seen as, sensible or not."""
    addresses = [f"b{at}" for at in range(draw(st.integers(0, 4)))]
    addresses += [f"g{at}" for at in range(draw(st.integers(0, members - len(addresses))))]
    leaders = [None, *addresses]
    most = draw(st.sampled_from(leaders))
    joining = draw(st.sampled_from(["", "", "b", "g", "b g", "b1 g1"]))
    ringing = draw(st.sampled_from([(), (), (), ("NOSPACE",)]))
    nodes = [
        node(
            address,
            draw(st.sampled_from([Standing.VOTER, Standing.VOTER, *Standing])),
            leader=draw(st.sampled_from([most, most, most, most, *leaders])),
            term=draw(st.sampled_from([TERM, TERM, TERM, TERM, TERM - 1])),
            index=draw(st.sampled_from([LAST, LAST, LAST, LAST - 250, LAST - 251, 0])),
            silent=draw(st.sampled_from([False, False, False, True])),
            gone=draw(st.sampled_from([False, False, False, False, True])),
            locked_until=draw(st.sampled_from([None, LATER, NOW + 60, NOW - 1])),
            ready=draw(st.sampled_from([True, True, True, False])),
            joins=address in joining.split() or address[0] in joining.split(),
            alarms=draw(st.sampled_from([(), (), ringing])),
            learns=draw(st.sampled_from([False] * 9 + [True])),
        )
        for address in addresses
    ]
    membership = draw(st.sampled_from([Membership.CONFIRMED] * 6 + list(Membership)))
    return ClusterObservation(NOW, tuple(nodes), draw(st.integers(1, 5)), membership)


@st.composite
def under_way(draw: st.DrawFn) -> ClusterObservation:
    """Any place that a hand-over among six nodes may have got to."""
    nodes = ["b1", "b2", "b3", "g1", "g2", "g3"]
    voters = draw(st.sets(st.sampled_from(nodes), min_size=1))
    silent = draw(st.sets(st.sampled_from(sorted(voters)), max_size=1)) if len(voters) > 1 else ()
    able = sorted(voters - set(silent))
    joins = draw(st.sampled_from(["", "", "b1 b2 b3", "g1 g2 g3", "b1 b2", " ".join(nodes)]))
    return fleet(
        3,
        3,
        desired=draw(st.integers(3, 4)),
        voters=" ".join(voters),
        leader=draw(st.sampled_from(able)),
        locked=" ".join(draw(st.sets(st.sampled_from(nodes), max_size=4))),
        silent=" ".join(silent),
        joins=joins,
    )


def policies() -> st.SearchStrategy[Policy]:
    """Policies that ask more or less."""
    return st.builds(
        Policy,
        tolerance=st.integers(0, 2),
        minimum_voters=st.sampled_from([1, 3]),
        allow_unlocked=st.booleans(),
        bake_before_majority=st.booleans(),
        allow_inferred=st.booleans(),
    )


def dialects() -> st.SearchStrategy[Dialect]:
    """Rafts that can do more or less."""
    return st.builds(
        Dialect,
        name=st.just("some"),
        learners_at_a_time=st.integers(0, 3),
        leadership_transfer=st.sampled_from([True, True, False]),
        removal=st.sampled_from([True, True, False]),
        joint_consensus=st.booleans(),
        membership_list=st.sampled_from([True, True, True, False]),
        joins_need_every_voter=st.booleans(),
    )
