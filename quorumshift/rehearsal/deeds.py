"""Acts a fault out on the running world, through the same doors that reality uses."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.config import Configuration
from quorumshift.domain.errors import Transient
from quorumshift.domain.handover_steps import Step
from quorumshift.rehearsal.aftermath import Aftermath
from quorumshift.rehearsal.aws.ecs import EcsEngine
from quorumshift.rehearsal.aws.lambda_environment import Outcome as Answered
from quorumshift.rehearsal.aws.lambda_environment import failed_in_lambda
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.blackout import Blackout
from quorumshift.rehearsal.dead_hooks import kill_hook
from quorumshift.rehearsal.execution import Execution
from quorumshift.rehearsal.faults import Deed, Fault
from quorumshift.rehearsal.interruptions import Interruptions
from quorumshift.rehearsal.moments import Moment, Phase
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.peer_cuts import PeerCuts
from quorumshift.rehearsal.result import Outcome
from quorumshift.rehearsal.scheduled import Scheduled
from quorumshift.rehearsal.service.node import CLIENT_PORT
from quorumshift.rehearsal.steps_done import StepsDone
from quorumshift.rehearsal.victims import Victims
from quorumshift.rehearsal.waiting import wait_for
from quorumshift.rehearsal.world import Event, World
from quorumshift.settings import PREFIX

CRASHING_HOOK = "BeforeAllowTraffic"
DEADLINE_SECONDS = 20.0
REFUSAL = "is under way"
"""What a deployment is told that finds another one."""


class NeverCame(RuntimeError):
    """The moment of a fault never came, so nothing went wrong. The message tells what did come."""


class Deeds:
    """What a fault does, and when. Made when blue is up and there is no green yet."""

    def __init__(
        self,
        world: World,
        configuration: Configuration,
        ecs: EcsEngine,
        observer: Observer,
        aws: EmbeddedAws,
    ) -> None:
        self._world = world
        self._names = configuration.names
        self._aws = aws
        self._victims = Victims(world, ecs, observer)
        self._interruptions = Interruptions(world, self._names)
        self._aftermath = Aftermath(world, self._names, ecs, self._interruptions)
        self._blackout = Blackout(
            world, self._names, ecs, observer, aws.lambdas, self._interruptions, self._aftermath
        )
        self._lock = threading.Lock()
        self._struck = False
        self._seconds = 0
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self._came: list[str] = []

    @property
    def failed(self) -> bool:
        """Whether a deed could not be done: there is nothing to wait for any more."""
        return bool(self._failures)

    def before(self, fault: Fault) -> None:
        """What happens before the deployment starts; returns when it is seen to have happened."""
        if fault.deed is Deed.CUT_FOLLOWER_BEFORE:
            self._cut_off(self._victims.follower(), "a follower")
        elif fault.deed is Deed.LOSE_TASK_BEFORE:
            self._victims.kill(self._victims.follower(), "a follower")
            self._victims.wait_for_its_successor()
        elif fault.deed is Deed.CRASH_HOOK:
            self._break_hook()

    @contextlib.contextmanager
    def during(self, fault: Fault | None) -> Iterator[None]:
        """What happens while the deployment runs. When it is left, the deed is over.

        Raises :class:`NeverCame` when the fault's moment did not come, and whatever went wrong
        with the deed.
        """
        if fault is None or fault.moment is None:
            yield
            return
        self._seconds = fault.seconds
        if fault.moment.phase is Phase.STEP:
            self._strike_at_step(fault, fault.moment)
        else:
            self._world.events.listen(self._strike_at_event(fault, fault.moment))
        yield
        self._finish(fault)

    def _strike_at_step(self, fault: Fault, moment: Moment) -> None:
        """Just before the step is done; it is not done before the deed is."""

        def strike(step: Step, proceed: Callable[[], Answered]) -> Answered:
            self._claim()
            if fault.deed is Deed.LOSE_REPLY:
                return self._lose_reply(step, proceed)
            self._try(lambda: self._do(fault.deed, moment, step))
            return proceed()

        steps = StepsDone(moment, strike)
        steps.watch(self._aws.lambdas, self._names.function("Act"))
        self._came = steps.labels

    def _strike_at_event(self, fault: Fault, moment: Moment) -> Callable[[Event], None]:
        """In a thread of its own: who speaks must not wait."""
        known: dict[str, str] = {}

        def listen(event: Event) -> None:
            whose = event.data.get("deployment")
            if whose is None:
                return
            if whose != known.setdefault("deployment", whose):
                return  # a roll-back's
            if event.kind == "traffic" and "green" in event.data:
                self._came.append(f"{event.data['green']}%")
            if moment.comes_with(event) and self._claim():
                self._start(lambda: self._do(fault.deed, moment, None))

        return listen

    def _claim(self) -> bool:
        """Whether nobody has struck before."""
        with self._lock:
            first, self._struck = not self._struck, True
            return first

    def _start(self, deed: Callable[[], None]) -> None:
        thread = threading.Thread(target=self._try, args=(deed,), name="deed", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _try(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except Exception as error:  # noqa: BLE001 # whoever left :meth:`during` raises it
            self._failures.append(error)

    def _finish(self, fault: Fault) -> None:
        """Every deed has an end of its own to what it waits for."""
        for thread in self._threads:
            while thread.is_alive() and not self.failed:
                thread.join(0.05)
        if self._failures:
            error = self._failures[0]
            raise RuntimeError(f"{fault.name}: {type(error).__name__}: {error}") from error
        if not self._struck:
            came = f"what came: {', '.join(dict.fromkeys(self._came)) or 'nothing of the kind'}"
            raise NeverCame(f"{fault.name}: its moment never came, so nothing was done ({came})")

    def _do(self, deed: Deed, moment: Moment, step: Step | None) -> None:
        victims = self._victims
        match deed:
            case Deed.MOVE_LEADER:
                self._move_leader()
            case Deed.KILL_BLUE_LEADER:
                victims.kill(victims.blue_leader(), "the leader, blue")
            case Deed.KILL_BLUE_FOLLOWER:
                victims.kill(victims.blue_follower(), "a follower, blue")
            case Deed.KILL_GREEN:
                victims.kill(victims.green(step), "green")
            case Deed.CUT_LEADER:
                self._cut_leader()
            case Deed.RING_ALARM:
                self._interruptions.ring_alarm()
            case Deed.STOP:
                self._interruptions.stop()
            case Deed.STOP_WITHOUT_FUNCTIONS:
                self._blackout.begin()
                self._start(self._blackout.end)
            case Deed.API_OUTAGE:
                self._aws.outage.begin(self._seconds)
                self._start(self._outlast)
            case Deed.KILL_HAND_OVER:
                self._interruptions.kill_hand_over()
            case Deed.KILL_DEPLOY:
                self._interruptions.kill_deploy()
                self._start(self._aftermath.wait)
            case Deed.DEPLOY_TWICE:
                self._deploy_twice()
            case Deed.KILL_HOOK:
                kill_hook(self._world, self._aws, self._names, moment.phase)
            case Deed.FIRE_SCHEDULE:
                self._fire_schedule()
            case _:
                raise ValueError(f"{deed.name} is not done while a deployment runs")

    def _outlast(self) -> None:
        if not self._aws.outage.end():
            raise RuntimeError("nobody asked AWS for anything meanwhile, so nothing was rehearsed")

    def _lose_reply(self, step: Step, proceed: Callable[[], Answered]) -> Answered:
        """The function ran to its end; the connection that its answer takes broke."""
        proceed()
        said = f"the answer to {step.kind} {step.address} is lost; the step was done"
        self._world.events.say("fault", said, node=step.address)
        return failed_in_lambda("Lambda.SdkClientException", "The connection was reset")

    def _cut_leader(self) -> None:
        self._cut_off(self._victims.leader(), "the leader")

    def _cut_off(self, address: str, what: str) -> None:
        said = f"cutting {address}, {what}, off from its peers"
        self._world.events.say("fault", said, node=address)
        PeerCuts(self._world).cut(address)

    def _fire_schedule(self) -> None:
        """Its request would rather not run beside another deployment."""
        second = Scheduled(self._world, self._names, self._aws.schedules)
        second.start()
        second.skipped()
        self._world.events.say("fault", "the schedule's execution was skipped: one is under way")

    def _deploy_twice(self) -> None:
        """Somebody else starts one: it must be refused, and touch nothing of the first."""
        second = Execution(self._world, self._names, {})
        second.start()
        wait_for(self._world, second.ended, "the end of a second deployment", DEADLINE_SECONDS)
        outcome, cause = second.outcome()
        if outcome is not Outcome.FAILED or REFUSAL not in cause:
            raise RuntimeError(f"a second deployment was not refused: {outcome}: {cause}")
        self._world.events.say("fault", f"a second deployment was refused: {cause}")

    def _break_hook(self) -> None:
        """Spoil one variable of the hook's environment, as a bad release of it would."""
        function = self._names.function(CRASHING_HOOK)
        client = self._world.client("lambda")
        variables = client.get_function_configuration(FunctionName=function)["Environment"][
            "Variables"
        ]
        variables[f"{PREFIX}POLICY"] = "spoilt"
        client.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )
        self._world.events.say("fault", f"the function {function} will raise", function=function)

    def _move_leader(self) -> None:
        raft = EtcdRaft(client_port=CLIENT_PORT)  # every sample has an etcd inside
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            old, new = self._victims.leader(), self._victims.follower()
            members = raft.observe([old]).members
            try:
                raft.transfer(next(m.raft_id for m in members if m.address == new), via=[old])
            except Transient:
                if time.monotonic() > deadline:
                    raise
                continue
            self._world.events.say("fault", f"leadership moved from {old} to {new}")
            return
