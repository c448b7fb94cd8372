"""The hand-over: which one step is next, on the safest path to the goal.

Each turn observes anew, plans anew, and does one step. Nothing is remembered between turns: what
matters is all in the observation, so a turn that died, a step done twice and a reply that was lost
make no difference. Whoever follows the plan gets to the goal: each step makes the rest of the best
path shorter (see ``handover_space``).
"""

from __future__ import annotations

from dataclasses import replace

from quorumshift.domain.abilities import enumerated
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.handover_path import Rows, find, present
from quorumshift.domain.handover_refusals import (
    faults,
    missing_tasks,
    no_path,
    not_further,
    refusal,
    ways,
)
from quorumshift.domain.handover_scene import (
    Scene,
    forward,
    kept,
    lacking,
    replacing,
    stranded,
)
from quorumshift.domain.handover_steps import (
    Configuration,
    Cover,
    Goal,
    Kind,
    Next,
    Plan,
    Refused,
    Step,
)
from quorumshift.domain.locks import hold, is_locked, let_go, lock_step, our_locks, renewal
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing, quorum
from quorumshift.domain.reading import Reading, listed, read, strangers, uncertainty

__all__ = [
    "Configuration",
    "Cover",
    "Goal",
    "Kind",
    "Next",
    "Plan",
    "Step",
    "goal_for",
    "hold",
    "last_resort",
    "let_go",
    "plan",
    "termination_guard",
    "turn",
]


def goal_for(
    observation: ClusterObservation,
    colour: Colour,
    *,
    without: frozenset[str] = frozenset(),
    least: int = 0,
) -> Goal:
    """All tasks of one colour shall vote; the best ``desired`` of them if there are more, as while
    ECS replaces one; none that is of another cluster. ``without``: addresses that are out of
    question. ``least``: so many of them where there are, though the service wants fewer."""
    nodes = [
        node
        for node in observation.nodes
        if node.colour is colour and node.task and not node.apart and node.address not in without
    ]
    best = sorted(nodes, key=lambda node: _worth(node, observation.at))
    size = max(observation.desired, least) if observation.desired else None
    return Goal(frozenset(node.address for node in best[:size]))


def plan(
    observation: ClusterObservation,
    goal: Goal,
    dialect: Dialect,
    policy: Policy,
    refused: Refused = frozenset(),
) -> Plan:
    """What to do now to make ``goal`` the voters. Pure; never raises for what it observes.

    ``refused``: steps that were refused for long. Another way is taken where there is one, else
    they are tried again.
    """
    reading = read(observation, policy)
    crossed = _crossed(observation, reading)
    if not goal.voters and observation.desired:
        apart = strangers(observation.nodes)
        why = f"can vote: {apart}" if apart else "exists: ECS is to start some"
        text = f"No task of the goal {why}."
        return Plan(Next.WAIT, None, text, "", (), crossed)
    refused_for = refusal(observation, reading, goal, dialect, policy)
    if refused_for:
        return Plan(Next.BLOCKED, None, *refused_for, path=(), crossed=crossed)
    renew = renewal(observation, goal.voters, policy)
    if renew and not any(kind is Kind.LOCK for kind, _ in refused):
        return Plan(Next.STEP, renew, renew.reason, "", (), crossed)
    doubts = uncertainty(observation, policy, dialect.first_contract)
    if not doubts and reading.leader is None:
        doubts = (reading.doubt,)
    if doubts:
        return Plan(Next.WAIT, None, " ".join(doubts), "", (), crossed)
    scene = Scene(observation, reading, goal, dialect, policy, refused=refused)
    here = present(scene)
    if here.tolerance < 0:
        reason = f"The quorum of {here.quorum} is lost{faults(scene)}."
        return Plan(Next.WAIT, None, reason, "", (here,), crossed)
    found = _search(scene)
    if found is None and refused:
        scene = replace(scene, refused=frozenset())
        found = _search(scene)
    return found or no_path(scene)


def turn(
    observation: ClusterObservation,
    goal: Goal,
    dialect: Dialect,
    policy: Policy,
    *,
    stuck: bool = True,
) -> Goal:
    """The goal to follow when something went wrong on the way to ``goal``.

    ``stuck``: the plan is blocked, or waited past its deadline; else something outside asks to
    turn back. Before the point of no return, blue. After it, forward as long as green is a healthy
    quorum that can go on; else blue, whose voters are promoted before green's leave. Forward too
    where blue alone is out of reach, as long as that is not blocked. A turn back stays one, so
    nothing goes to and fro; and while too little is known, nothing turns.
    """
    reading = read(observation, policy)
    if uncertainty(observation, policy) or reading.leader is None:
        return goal
    scene = Scene(observation, reading, goal, dialect, policy)
    if goal.voters and not forward(scene):
        return goal
    blue = goal_for(observation, Colour.BLUE)
    here = present(scene)
    astray = stranded(observation, blue)
    if here.green_may_vanish and not astray:
        return blue
    onward = plan(observation, goal, dialect, policy).decision
    if astray and onward is not Next.BLOCKED:
        return goal
    if here.green_may_vanish:
        return blue
    going = onward in (Next.STEP, Next.DONE) or (onward is Next.WAIT and not stuck)
    if here.blue_may_vanish and going:
        return goal
    return goal if plan(observation, blue, dialect, policy).decision is Next.BLOCKED else blue


def last_resort(policy: Policy, *, silent: bool = True) -> Policy:
    """For a turn back that stood still for too long: the locks are no condition any more, and where
    voters stay ``silent`` only the quorum is kept, with nothing to spare. Its goal is then best
    taken without them. Never are fewer healthy voters made of enough than the policy asks: that
    would be what the hand-over is there to prevent."""
    tolerance = 0 if silent else policy.tolerance
    return replace(policy, tolerance=tolerance, allow_unlocked=True)


def _search(scene: Scene) -> Plan | None:
    """The first step of the best path; to the goal, or to it and those who are to stay besides."""
    near = kept(scene)
    if not (near and lacking(scene)):
        for way, cover in ways(scene):
            path = find(way, cover)
            if path is not None:
                return _first(way, path, cover)
    for keepers in near:
        for way, cover in ways(replace(scene, keepers=keepers)):
            path = find(way, cover)
            if path is not None:
                return _first(way, path, cover) if len(path) > 1 else not_further(way, path)
    return None


def _first(scene: Scene, path: Rows, cover: Cover) -> Plan:
    """The first step of the path, unless something must be waited for."""
    here = path[0]
    step = path[1].step if len(path) > 1 else None
    if step is None:
        return _arrived(scene, path)
    wait = _not_yet(scene, here, step)
    # While it waits, a quorum stays locked; a path that cannot keep one has locks of its own.
    holds = wait and cover is Cover.QUORUM and not scene.no_locks
    keep = hold(scene.observation, scene.policy) if holds else None
    resting = not wait and _rests(scene, path)
    if resting:
        wait = "Green may still vanish without harm; from the next step on it may not: bake."
    todo = keep or (None if wait else step)
    decision, reason = (Next.STEP, todo.reason) if todo else (Next.WAIT, wait)
    crossed = not here.green_may_vanish
    return Plan(decision, todo, reason, "", path, crossed, resting, cover)


def _arrived(scene: Scene, path: Rows) -> Plan:
    here = path[0]
    crossed = not here.green_may_vanish
    wait = ""
    if here.tolerance < scene.policy.tolerance:
        wait = f"The goal votes, but its tolerance is {here.tolerance}{faults(scene)}."
    elif replacing(scene.observation, scene.goal) and (
        forward(scene) or len(here.voters) < scene.policy.minimum_voters
    ):
        wait = missing_tasks(scene)
    if wait:
        return Plan(Next.WAIT, None, wait, "", path, crossed)
    if extended := [node for node in our_locks(scene.observation) if _leaves(node, scene)]:
        back = lock_step(Kind.RELEASE, extended, "Its own protection is put back as it was.")
        return Plan(Next.STEP, back, back.reason, "", path, crossed)
    locks = len(set(here.locked) & set(here.voters))
    reason = (
        f"The goal votes, and nobody else: {listed(here.voters)}. {here.leader} leads, "
        f"{locks} of {len(here.voters)} voters are locked."
    )
    if here.learners:
        left = enumerated(here.learners)
        reason += f" {left} may still learn: {here.leader} leads and cannot remove anybody."
    return Plan(Next.DONE, None, reason, "", path, crossed)


def _leaves(node: Node, scene: Scene) -> bool:
    return node.standing is Standing.OUTSIDE and node.address not in scene.wanted


def _not_yet(scene: Scene, here: Configuration, step: Step) -> str:
    """What the step has to wait for; empty: nothing."""
    node = scene.nodes[step.address]
    if step.kind is Kind.RELEASE or _cleans(here, step, node):
        return ""
    if step.kind is Kind.LOCK and set(step.tasks) <= _voting_tasks(scene.observation):
        return ""
    # Forward, nothing begins before all of green is there. Back, each vote of blue's is a gain.
    concerned = [n for n in scene.nodes.values() if n.task in step.tasks or n is node]
    wanted = [scene.nodes[at] for at in scene.goal.voters] if forward(scene) else concerned
    unready = sorted(other.address for other in wanted if _is_unready(other))
    if unready:
        return f"The task of {listed(unready)} is not ready yet."
    if step.kind is Kind.LOCK:
        return ""
    if forward(scene) and replacing(scene.observation, scene.goal):
        return missing_tasks(scene)
    if step.kind is Kind.REPLACE_ALL:
        learners = [at for at in here.learners if at in scene.goal.voters]
    else:
        learners = [step.address] if step.kind in (Kind.PROMOTE, Kind.TRANSFER) else []
    unfit = [f"{at} {fault}." for at in learners if (fault := scene.unfit(scene.nodes[at]))]
    return " ".join(unfit)


def _cleans(here: Configuration, step: Step, node: Node) -> bool:
    """Whether the step takes out what only does harm: a leftover learner, an unhealthy voter."""
    return step.kind is Kind.REMOVE and (
        node.standing is not Standing.VOTER or node.address in here.unhealthy
    )


def _rests(scene: Scene, path: Rows) -> bool:
    """Whether the next step crosses for good and the policy asks to bake first."""
    return (
        scene.policy.bake_before_majority
        and forward(scene)
        and path[0].green_may_vanish
        and not any(row.green_may_vanish for row in path[1:])
    )


def _crossed(observation: ClusterObservation, reading: Reading) -> bool:
    """Whether what is not green is no quorum; ``False`` while that is not known."""
    staying = [node for node in reading.healthy if node.colour is not Colour.GREEN and node.task]
    return reading.leader is not None and len(staying) < quorum(len(observation.voters))


def _voting_tasks(observation: ClusterObservation) -> set[str]:
    return {node.task for node in observation.voters if node.task}


def _is_unready(node: Node) -> bool:
    return node.standing is Standing.OUTSIDE and not node.ready


def _worth(node: Node, at: float) -> tuple[int, bool, bool, str]:
    """Orders the tasks of one colour: those that vote and answer first, dead ones last. What leads
    or is locked stays so, and the choice with it from turn to turn."""
    if node.standing is Standing.OUTSIDE:
        rank = 2 if node.ready else 4
    elif node.report is None:
        rank = 3
    else:
        rank = 0 if node.standing is Standing.VOTER else 1
    leads = node.report is not None and node.report.leader == node.raft_id
    return rank, not leads, not is_locked(node, at), node.address
