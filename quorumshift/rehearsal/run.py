"""One rehearsal, from nothing to its result, and back to nothing."""

from __future__ import annotations

import contextlib
import math
import shutil
import time
from collections.abc import Callable
from types import TracebackType

from quorumshift.config import Configuration, load
from quorumshift.domain.raft import Standing
from quorumshift.rehearsal import greenfield
from quorumshift.rehearsal.aws.alarms import AlarmEngine
from quorumshift.rehearsal.aws.codedeploy import CodeDeployEngine
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.load_balancing import BalancerEngine
from quorumshift.rehearsal.aws.provision import provision
from quorumshift.rehearsal.aws.server import EmbeddedAws, Engine
from quorumshift.rehearsal.block import Block, take_block
from quorumshift.rehearsal.database_process import PORT as DATABASE_PORT
from quorumshift.rehearsal.deeds import Deeds
from quorumshift.rehearsal.disk import no_room
from quorumshift.rehearsal.faults import Deed
from quorumshift.rehearsal.folder import new_folder
from quorumshift.rehearsal.load import Load
from quorumshift.rehearsal.membership_news import tell_membership
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.options import Options
from quorumshift.rehearsal.players import Players
from quorumshift.rehearsal.preflight import CannotStart, check_ports
from quorumshift.rehearsal.result import (
    Duration,
    Leader,
    PlayersFound,
    Quorum,
    Requests,
    Result,
    Writes,
)
from quorumshift.rehearsal.samples import SNAKETRON, sample_of
from quorumshift.rehearsal.stock import start_database, stock
from quorumshift.rehearsal.synthesis import assembly
from quorumshift.rehearsal.used_actions import used_actions, write
from quorumshift.rehearsal.ways import Deploying
from quorumshift.rehearsal.world import AWS_PORT, World

BOOT_SECONDS = 60.0
"""How long a service of three may take to come up before the rehearsal gives up."""
BOOT_SECONDS_A_NODE = 15.0
"""So much longer for each node more."""
WARM_UP_SECONDS = 1.0
"""Load before the deployment starts, so that the figures have a before."""


class Broken(Exception):
    """The rehearsal itself broke; says nothing about the deployment."""


class Interrupted(Exception):
    """The rehearsal was told to end."""


class Rehearsal:
    """A context: everything it starts is ended when it is left, however it is left."""

    def __init__(self, options: Options) -> None:
        """Read the configuration and take the addresses; nothing is started yet.

        Raises ``InvalidConfiguration`` and ``CannotStart``.
        """
        self.began = time.monotonic()
        self.options = options
        self.overrides = options.overrides
        self.configuration: Configuration = load(options.configuration, overrides=self.overrides)
        self.sample = sample_of(self.configuration)
        options.check(self.sample)
        self.world = self._new_world()
        self.ecs = EcsEngine(self.world)
        self.load: Load | None = None
        self.players: Players | None = None
        self.observer: Observer | None = None
        self.result: Result | None = None
        self._exits = contextlib.ExitStack()

    def _new_world(self) -> World:
        block = take_block(self._check_ports)
        try:
            directory, self._folder_lock = new_folder()
        except CannotStart:
            block.lock.close()
            raise
        return World(block=block, speed=self.options.speed, directory=directory)

    def _check_ports(self, block: Block) -> None:
        """Raises ``CannotStart`` where something listens on what the rehearsal needs."""
        service, balancer = self.configuration.service, self.configuration.load_balancer
        raft = self.configuration.raft
        of_task = {service.port, service.health[0], raft.port, raft.peer_port, *self.sample.ports}
        wanted = [
            (block.aws, AWS_PORT),
            (block.balancer, balancer.listener_port),
            (block.balancer, balancer.test_listener_port),
            *((block.task(0), port) for port in sorted(of_task)),
        ]
        if self.sample.database:
            wanted.append((block.database, DATABASE_PORT))
        check_ports(wanted)

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.world.stopping.set()
        self._exits.close()
        self.world.processes.close()
        self.world.block.lock.close()
        self._folder_lock.close()
        if kind in (None, KeyboardInterrupt) and self._nothing_to_read():
            shutil.rmtree(self.world.directory, ignore_errors=True)

    def _nothing_to_read(self) -> bool:
        """The logs of a rehearsal without a result have no reader; the others are named in it."""
        return self.result is None

    def run(self) -> Result:
        """Bring everything up, deploy version 2 under load, and return what was found.

        Raises :class:`Broken` with what failed and where the logs are.
        """
        try:
            self.bring_up()
            self.result = self._deploy()
        except (KeyboardInterrupt, CannotStart):
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            if full := no_room(error, self.world.directory):
                said = f"{full} ({said})"
            self.world.events.say("error", said)
            raise Broken(f"{said} (logs: {self.world.directory})") from error
        return self.result

    def bring_up(self) -> None:
        """Everything up to the service in version 1 under load, and quiet."""
        world, options = self.world, self.options
        say = world.events.say
        if options.adopts:
            say("stage", greenfield.SAYS)
        say("stage", "synthesizing the templates (kept for the next time)")
        folder = assembly(options.configuration, self.overrides, lambda text: say("stage", text))
        say("stage", f"starting the embedded AWS on {world.endpoint}")
        engines: list[Engine] = [
            BalancerEngine(world),
            self.ecs,
            CodeDeployEngine(world),
            AlarmEngine(world),
        ]
        aws = EmbeddedAws(world, engines)
        # Nothing deploys beside what is rehearsed, unless it is to. The keeper's schedule runs.
        aws.schedules.hold(self.configuration.names.canary)
        if options.way.self_joining:  # as it is done today: nothing of ours acts
            aws.schedules.hold(self.configuration.names.keeper)
        self._exits.callback(aws.stop)
        aws.start()
        self.aws = aws
        self._request = stock(aws, self.configuration, options)
        if self.sample.database:
            say("stage", f"starting PostgreSQL on {world.block.database}")
            self._exits.callback(start_database(world, self.configuration).stop)
        say("stage", "provisioning from the template")
        self.outputs = provision(world, folder)
        say("stage", f"waiting for {options.nodes} tasks and their Raft cluster")
        self.observer = Observer(world, self.ecs.instances_path(self.configuration.names.service))
        self.observer.start()
        tell_membership(world, self.observer)
        self._wait_until(self._is_up, "the service to come up")
        # Before the fault, as what that brings about may make an alarm ring, and for good.
        self._wait_until(self._quiet, "the alarms to be quiet")
        self.deeds = Deeds(world, self.configuration, self.ecs, self.observer, aws)
        if options.fault is not None:
            self.deeds.before(options.fault)  # before the load, which has requests under way
        url = f"http://{world.block.balancer}:{self.configuration.load_balancer.listener_port}"
        say("stage", f"load: {options.rate} requests/s to {url}, half of them writes")
        self.load = Load(world, url, options.rate)
        self.load.start()
        count = self.sample.players if options.players is None else options.players
        if count and self.configuration.service.websocket_path:
            say("stage", f"{count} players, each with a WebSocket that stays open")
            self.players = Players(world, url, count)
            self.players.start()
        self._pause(WARM_UP_SECONDS)
        if options.fault is None or options.fault.deed is not Deed.CUT_FOLLOWER_BEFORE:
            self._wait_until(self._quiet, "the alarms to be quiet under load")

    def _is_up(self) -> bool:
        if self.observer is None:
            return False
        nodes = self.options.nodes
        seen = self.observer.snapshot()
        voters = [m for m in seen.members if m.standing is Standing.VOTER and m.answering]
        return len(voters) == nodes and any(m.is_leader for m in voters) and self._healthy(nodes)

    def _quiet(self) -> bool:
        """No alarm rings: one that rang while the first tasks started would stop a deployment."""
        alarms = self.world.client("cloudwatch").describe_alarms(StateValue="ALARM")
        return not alarms["MetricAlarms"]

    def _healthy(self, nodes: int) -> bool:
        elb = self.world.client("elbv2")
        states = [
            health["TargetHealth"]["State"]
            for group in elb.describe_target_groups()["TargetGroups"]
            for health in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ]
        ]
        return states.count("healthy") == nodes

    def _deploy(self) -> Result:
        way = self.options.way
        deploying = way.begin(self.world, self.configuration, self.aws, self._request)
        self.world.events.say("stage", f"deploying {way.deploys}: {way.about}")
        deploying.start()
        with self.deeds.during(self.options.fault):
            self._wait_until(
                lambda: deploying.ended() or self.deeds.failed, "the deployment to end", math.inf
            )
        self.aws.schedules.hold(self.configuration.names.canary)
        self._pause(way.seconds_after)
        return self._finish(deploying)

    def _finish(self, deploying: Deploying) -> Result:
        """Stop load and observer, and gather what everybody saw."""
        assert self.load is not None
        assert self.observer is not None
        stands = self.observer.snapshot().has_quorum
        self.world.events.say(
            "stage",
            "reading every acknowledged write back"
            if stands
            else "what was acknowledged cannot be read back: no quorum answers",
        )
        players = self.players.finish(quorum=stands) if self.players else None
        load = self.load.finish(quorum=stands)
        seen = self.observer.finish()
        outcome, cause = deploying.outcome()
        fault = self.options.fault
        write(self.world.directory, used_actions(self.aws.calls.all(), self.configuration.names))
        return Result(
            outcome=outcome,
            cause=cause,
            version_served=load.version_served,
            fault=fault.name if fault else None,
            nodes=self.options.nodes,
            requests=Requests.of(load),
            writes=Writes.of(load),
            quorum=Quorum(seen.quorum_lost_seconds, lost_at_end=not stands),
            leader=Leader.of(seen),
            hooks=deploying.hooks(),
            states=deploying.states(),
            api_calls=self.aws.calls.count(),
            duration=Duration(round(time.monotonic() - self.began, 1)),
            logs=str(self.world.directory),
            service=self.sample.name,
            contract=self.options.spoken.name if self.sample.contracts else "",
            players=PlayersFound.of(players) if players else None,
            initiator=deploying.initiator(),
        )

    def _wait_until(
        self, holds: Callable[[], bool], what: str, seconds: float | None = None
    ) -> None:
        if seconds is None:
            seconds = BOOT_SECONDS + BOOT_SECONDS_A_NODE * (self.options.nodes - 3)
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise Broken(
                    f"waited {seconds:.0f} s for {what}; the logs in {self.world.directory} "
                    "tell why it did not happen"
                )
            self._pause(0.1)

    def _pause(self, seconds: float) -> None:
        if self.world.stopping.wait(seconds):
            raise Interrupted

    def how_to_reach(self) -> str:
        """What to type to look at a rehearsal that stays up."""
        balancer, file = self.configuration.load_balancer, self.options.configuration
        which = "" if file == SNAKETRON.configuration else f" --config {file}"
        return (
            "the rehearsal stays up until Ctrl-C; to look at it:\n"
            f"  export AWS_ENDPOINT_URL={self.world.endpoint} AWS_DEFAULT_REGION=us-east-1 "
            "AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal\n"
            f"  quorumshift doctor{which}\n"
            f"  quorumshift status{which}\n"
            f"  quorumshift plan{which}\n"
            f"  curl http://{self.world.block.balancer}:{balancer.listener_port}/kv\n"
            f"  logs: {self.world.directory}"
        )

    def wait_for_end(self) -> None:
        """Return when the rehearsal is told to end."""
        with contextlib.suppress(KeyboardInterrupt):
            self.world.stopping.wait()
