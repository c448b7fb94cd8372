"""The exhaustive model check: a planner in every world that an adversary can bring about.

Between any two steps the adversary may crash one node (its task ends, or only its Raft falls
silent), move leadership to any voter, keep a learner from catching up, make a lock or a release of
several tasks succeed in part, run a step twice, let the time of the locks run out, ask to turn
back, or stop the deployment, upon which every unlocked task of green ends. (A lost reply is a step
that is planned again from what is seen, which is what every turn does anyway.) An admission beside
a voter that we do not hear may be granted, as to the Raft it may be connected, or refused for good.
Where the rules say so, ECS starts no task any more, a voter is cut off from its peers and answers
clients, and a way back that stands still comes to its last resort.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from quorumshift.domain.handover import (
    Cover,
    Goal,
    Kind,
    Next,
    Plan,
    Step,
    goal_for,
    last_resort,
    plan,
    turn,
)
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour
from tests.domain.model import (
    BLUE,
    FREE,
    GREEN,
    LEARNER,
    LOCKED,
    NONE,
    OUTSIDE,
    SHORT,
    VOTER,
    Flaw,
    N,
    Nodes,
    Planner,
    Rules,
    World,
    apply,
    fit,
    locked_votes,
    locks,
    majority,
    observe,
    refusals,
    spare,
    survives_stop,
    tidy,
)


@dataclass
class Check:
    """Explores every world that can be reached, and checks each step into it."""

    rules: Rules
    planner: Planner = plan
    plans: dict[tuple[Nodes, str, bool], Plan] = field(default_factory=dict)
    turns: dict[tuple[Nodes, bool], bool] = field(default_factory=dict)
    calm: dict[World, tuple[World, ...]] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)

    def run(self, starts: Iterable[Nodes]) -> int:
        """Check all that can be reached from ``starts``; return how many worlds there are."""
        todo = [World(nodes, GREEN, self.rules.faults) for nodes in starts]
        seen = set(todo)
        while todo:
            world = todo.pop()
            for after in self.successors(world):
                if after not in seen:
                    seen.add(after)
                    todo.append(after)
        self.check_end()
        return len(seen)

    def plan(self, world: World) -> Plan:
        """Our plan for this world, asked once."""
        nodes, goal, lenient = world.nodes, world.goal, world.lenient
        key = (nodes, goal, lenient)
        known = self.plans.get(key)
        if known is None:
            seen = observe(nodes, self.rules.desired)
            refused = refusals(nodes) if goal == BLUE else frozenset()
            policy = self.rules.policy
            wanted = _last_goal(world, seen, policy) if lenient else goal_for(seen, Colour(goal))
            if lenient:
                policy = last_resort(policy, silent=_silent(nodes))
            known = self.planner(seen, wanted, self.rules.dialect, policy, refused)
            self.plans[key] = known
        return known

    # What can happen next

    def successors(self, world: World) -> Iterator[World]:
        """Every world that may follow; those without a fault are kept for :meth:`check_end`."""
        now = self.plan(world)
        if now.decision is Next.STEP and not _tried(world, now.step):
            calm = tuple(self.ours(world, now))
        elif now.decision is Next.DONE:
            self.check_done(world)
            calm = ()
        else:
            calm = () if now.decision is Next.BLOCKED else tuple(self.environment(world))
            if not calm:
                calm = tuple(self.turned(world, stuck=True))
            if not calm and self.rules.last and world.goal == BLUE and not world.lenient:
                calm = (world._replace(lenient=True),)
            if not calm:
                self.check_stuck(world, now)
        self.calm[world] = calm
        yield from calm
        yield from self.environment(world)
        if self.rules.adversary:
            yield from self.turned(world, stuck=now.decision is Next.WAIT)
            yield from self.faults(world)

    def ours(self, world: World, now: Plan) -> Iterator[World]:
        """Our step: whole, run twice, and (locks) in part."""
        step = now.step
        if step is None:
            raise Flaw(f"a step was announced and is not there: {now}")
        if step.kind is Kind.ADMIT and not all(
            node.votes for node in world.nodes if node.standing == VOTER
        ):
            back = world.goal == BLUE
            self.require(back, "a member was admitted while a voter is not connected", world, step)
            at = int(step.address)
            yield _with(world, at, world.nodes[at]._replace(refused=True))
            if any(node.standing == VOTER and node.colour == NONE for node in world.nodes):
                return
        after = apply(world.nodes, step)
        self.check_step(world, step, after, now.cover)
        if apply(after, step) != after:
            raise Flaw(f"running {step} twice is not the same as once, in {world}")
        yield world._replace(nodes=tidy(after))
        for most in range(1, len(step.tasks)):
            part = Step(
                step.kind, step.address, step.raft_id, step.task, step.reason, step.tasks[:most]
            )
            yield world._replace(nodes=tidy(apply(world.nodes, part)))

    def environment(self, world: World) -> Iterator[World]:
        """What happens by itself: an election, a learner catches up, ECS starts a task."""
        nodes = world.nodes
        if not any(node.leads for node in nodes) and spare(nodes) >= 0:
            yield from self.led(world)
        for at, node in enumerate(nodes):
            if node.standing == LEARNER and node.alive and not node.caught:
                yield _with(world, at, node._replace(caught=True))
        if self.rules.late:
            return
        for colour, size in zip((BLUE, GREEN), self.rules.sizes, strict=True):
            if colour == GREEN and world.stopped:
                continue
            if sum(node.colour == colour for node in nodes) < size:
                new = N(colour, OUTSIDE, able=colour not in self.rules.joining)
                yield world._replace(nodes=tidy((*nodes, new)))

    def led(self, world: World) -> Iterator[World]:
        """Any healthy voter may come to lead."""
        for at, node in enumerate(world.nodes):
            if node.votes and node.caught and not node.leads:
                yield world._replace(
                    nodes=tidy(n._replace(leads=at == o) for o, n in enumerate(world.nodes))
                )

    def faults(self, world: World) -> Iterator[World]:
        """Crashes, a move of leadership, a stop by a person."""
        if any(node.leads for node in world.nodes):
            yield from self.led(world)
        if self.rules.clock and LOCKED in {node.lock for node in world.nodes}:
            aged = (n._replace(lock=SHORT) if n.lock else n for n in world.nodes)
            yield world._replace(nodes=tidy(aged))
        if not world.faults:
            return
        less = world._replace(faults=world.faults - 1)
        for at, node in enumerate(world.nodes):
            if node.alive and (node.standing != OUTSIDE or node.lock):
                silent = node._replace(alive=False, leads=False)
                yield _with(less, at, silent)
                yield _with(less, at, silent._replace(colour=NONE, lock=FREE))
        if self.rules.cuts:
            for at, node in enumerate(world.nodes):
                if node.votes:
                    yield _with(less, at, node._replace(cut=True, leads=False))
        ended = (
            n._replace(colour=NONE, alive=False, leads=False, lock=FREE)
            if n.colour == GREEN and not n.lock
            else n
            for n in world.nodes
        )
        yield World(tidy(ended), BLUE, less.faults, stopped=True)

    def turned(self, world: World, *, stuck: bool) -> Iterator[World]:
        """The caller asks where to turn."""
        if world.goal == BLUE:
            return
        key = (world.nodes, stuck)
        if key not in self.turns:
            seen = observe(world.nodes, self.rules.desired)
            green = goal_for(seen, Colour.GREEN)
            rules = self.rules
            self.turns[key] = turn(seen, green, rules.dialect, rules.policy, stuck=stuck) != green
        if self.turns[key]:
            yield world._replace(goal=BLUE)

    # What must hold

    def check_step(self, world: World, step: Step, after: Nodes, cover: Cover) -> None:
        """One step of ours, with the world before and after it."""
        before = world.nodes
        policy = self.rules.policy
        if world.lenient and _silent(before):
            policy = replace(policy, tolerance=0)
        floor = min(policy.tolerance, spare(before))
        writes = not any(node.alarm and node.alive for node in before)
        forward = world.goal == GREEN and step.kind not in (Kind.LOCK, Kind.RELEASE)
        self.require(writes or not forward, "a change forward without writes", world, step)
        self.require(spare(after) >= 0, "the quorum is lost", world, step)
        self.require(spare(after) >= floor, "the promised tolerance is broken", world, step)
        least = min(policy.minimum_voters, fit(before))
        self.require(fit(after) >= least, "fewer voters are left than the minimum", world, step)
        changed = sum(
            (one.standing == VOTER) != (other.standing == VOTER)
            for one, other in zip(before, after, strict=True)
        )
        self.require(changed <= 1, "two voters change at once", world, step)
        learners = sum(node.standing == LEARNER for node in after)
        limit = self.rules.dialect.learners_at_a_time
        self.require(
            step.kind is not Kind.ADMIT or learners <= limit, "too many learners", world, step
        )
        self.require(
            locks(after) <= max(self.rules.desired, locks(before)), "too many locks", world, step
        )
        ending = any(node.lock == SHORT and node.votes for node in before)
        self.require(
            not ending or step.kind is Kind.LOCK, "locks that end are not renewed", world, step
        )
        if cover is Cover.NONE:
            may = policy.allow_unlocked or world.lenient
            self.require(may, "unlocked without the policy's word", world, step)
            return
        for colour in (BLUE, GREEN):
            self.require(
                survives_stop(after, colour) or not survives_stop(before, colour),
                f"ending all unlocked {colour} tasks would lose the quorum",
                world,
                step,
            )
        if cover is Cover.EITHER:
            self.ends["steps under EITHER"] = self.ends.get("steps under EITHER", 0) + 1
            back = world.goal == BLUE or policy.allow_unlocked
            self.require(back, "forward without a quorum of locks", world, step)
            return
        lacking = majority(before) - locked_votes(before)
        able = min(self.rules.desired, sum(node.votes for node in before))
        change = step.kind not in (Kind.LOCK, Kind.RELEASE)
        self.require(
            not change or lacking <= max(0, majority(before) - able),
            "a change is made while a vote could be locked that is not",
            world,
            step,
        )
        self.require(
            majority(after) - locked_votes(after) <= max(0, lacking),
            "fewer than a quorum of the voters are locked",
            world,
            step,
        )

    def require(self, holds: bool, what: str, world: World, step: Step | None) -> None:
        """Raise :class:`Flaw` unless it holds."""
        if not holds:
            raise Flaw(f"{what}: {step} in {world}")

    def check_done(self, world: World) -> None:
        """Done means: the goal votes and leads, nobody else is a member or locked."""
        self.ends["done " + world.goal] = self.ends.get("done " + world.goal, 0) + 1
        able = any(node.leads and node.able for node in world.nodes)
        for node in world.nodes:
            ours = node.colour == world.goal
            nothing = node.standing == OUTSIDE or (node.standing == LEARNER and not able)
            self.require(ours or nothing, "done with leftovers", world, None)
            self.require(ours or not node.lock, "done with locks left over", world, None)
        tasks = sum(node.colour == world.goal for node in world.nodes)
        votes = sum(node.standing == VOTER for node in world.nodes)
        wanted = min(tasks, self.rules.desired)
        most = world.lenient and bool(_silent_tasks(world.nodes))
        least = min(self.rules.policy.minimum_voters, wanted)
        self.require(
            votes == wanted or (most and votes >= least), "done without all votes", world, None
        )
        self.require(
            any(n.leads and n.colour == world.goal for n in world.nodes),
            "nobody leads",
            world,
            None,
        )
        kept = spare(world.nodes)
        asked = 0 if most else self.rules.policy.tolerance
        self.require(kept >= asked, "done below tolerance", world, None)
        if not self.rules.policy.allow_unlocked and not world.lenient:
            held = locked_votes(world.nodes)
            self.require(held >= majority(world.nodes), "done without locks", world, None)
        if world.goal == GREEN:
            writes = not any(node.alarm and node.votes for node in world.nodes)
            self.require(writes, "done without writes", world, None)
            left = sum(n.votes and n.colour != BLUE for n in world.nodes)
            safe = left - majority(world.nodes) >= self.rules.policy.tolerance
            self.require(safe, "done, and ending blue is not safe", world, None)

    def check_stuck(self, world: World, now: Plan) -> None:
        """To end without being done needs a reason, and something that is broken."""
        self.ends[now.decision.value] = self.ends.get(now.decision.value, 0) + 1
        self.require(bool(now.reason), "stuck without a reason", world, None)
        advice = now.decision is not Next.BLOCKED or bool(now.advice)
        self.require(advice, "blocked without advice", world, None)
        broken = self.rules.desired == 1 or self.rules.late
        broken = broken or any(not n.alive or n.cut or n.alarm for n in world.nodes)
        if (
            not world.lenient
            and spare(world.nodes) >= 0
            and any(node.leads for node in world.nodes)
        ):
            able = min(self.rules.desired, sum(node.votes for node in world.nodes))
            held = locked_votes(world.nodes) >= min(able, majority(world.nodes))
            self.require(held, f"stuck without locks ({now.reason})", world, None)
        end = broken or self.check_beyond(world) or _in_the_way(world)
        self.require(end, f"stuck though nothing is broken ({now.reason})", world, None)

    def check_beyond(self, world: World) -> bool:
        """Whether the goal is out of reach because none of it could take out the last of the
        others; then as little as may be is left of them, and its end costs no quorum."""
        ours = [node for node in world.nodes if node.colour == world.goal]
        strangers = [n for n in world.nodes if n.standing == VOTER and n.colour != world.goal]
        if not strangers or any(node.able for node in ours):
            return False
        if world.goal == BLUE and any(node.able for node in strangers):
            self.require(len(strangers) == 1, "stuck with strangers", world, None)
            votes = sum(node.votes for node in ours)
            self.require(votes == min(len(ours), self.rules.desired), "votes lack", world, None)
            self.require(survives_stop(world.nodes, GREEN), "green may not end", world, None)
        return True

    def check_end(self) -> None:
        """Without further faults every run ends: the calm steps have no cycle."""
        state: dict[World, int] = {}
        for root in self.calm:
            stack = [(root, iter(self.calm[root]))] if root not in state else []
            state.setdefault(root, 1)
            while stack:
                world, rest = stack[-1]
                after = next(rest, None)
                if after is None:
                    state[world] = 2
                    stack.pop()
                elif state.get(after) == 1:
                    raise Flaw(f"the plan goes in circles: {world} comes back")
                elif after not in state:
                    state[after] = 1
                    stack.append((after, iter(self.calm[after])))


def _silent_tasks(nodes: Nodes) -> frozenset[str]:
    """Whoever has a task and does not take part: it votes, or its process ended with its vote."""
    return frozenset(
        str(at) for at, n in enumerate(nodes) if n.colour != NONE and (n.cut or not n.alive)
    )


def _silent(nodes: Nodes) -> bool:
    """Whether a voter that has a task is silent to the others."""
    return any(n.standing == VOTER and n.colour != NONE and not n.votes for n in nodes)


def _last_goal(world: World, seen: ClusterObservation, policy: Policy) -> Goal:
    """Blue without those who are silent, if others are enough with green's voters."""
    least = policy.minimum_voters
    others = goal_for(seen, Colour.BLUE, without=_silent_tasks(world.nodes), least=least)
    green = sum(node.votes and node.colour == GREEN for node in world.nodes)
    enough = len(others.voters) + green >= min(seen.desired, least)
    return others if enough else goal_for(seen, Colour.BLUE, least=least)


def _in_the_way(world: World) -> bool:
    """Whether a learner that nobody can take out keeps others from being admitted."""
    able = any(node.able for node in world.nodes if node.standing == VOTER)
    others = (n for n in world.nodes if n.standing == LEARNER and n.colour != world.goal)
    return not able and any(others)


def _tried(world: World, step: Step | None) -> bool:
    """Whether this was refused already, and there is no other way."""
    return step is not None and step.kind is Kind.ADMIT and world.nodes[int(step.address)].refused


def _with(world: World, at: int, node: N) -> World:
    nodes = list(world.nodes)
    nodes[at] = node
    return world._replace(nodes=tidy(nodes))


def report(name: str, worlds: int, check: Check) -> None:
    """Say how much was visited (shown by ``pytest -rP`` or ``-s``)."""
    ends = ", ".join(f"{count} {end}" for end, count in sorted(check.ends.items()))
    sys.stdout.write(f"{name}: {worlds} worlds, {len(check.plans)} plans; ends: {ends}\n")
