"""EventBridge Scheduler: schedules fire, on a clock that runs at the rehearsal's speed.

moto stores schedules and never fires them. The clock shows the real time when the engine starts,
and from then on goes as fast as everything else: at speed 60 a day passes in 24 minutes. It can be
set to shortly before a schedule's next time. A schedule can be held: its times pass.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from quorumshift.rehearsal.aws.events import send
from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.aws.permissions import denial
from quorumshift.rehearsal.aws.schedule_clock import ScheduleClock
from quorumshift.rehearsal.aws.schedule_times import Times, parse
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

_TICK_SECONDS = 0.05


@dataclass(slots=True)
class _Planned:
    """``seen``: the schedule as it was when ``due`` (on the grid) and ``fires`` were found."""

    seen: tuple[Any, ...]
    times: Times
    due: datetime | None
    fires: datetime | None


class SchedulesEngine:
    """Looks at moto's schedules and fires what is due, unless it is held."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = ScheduleClock(world.speed)
        self._planned: dict[str, _Planned] = {}
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)

    def install(self) -> None:
        """Refuse what would never fire."""
        from moto.scheduler.models import EventBridgeSchedulerBackend

        def create_schedule(self: Any, *rest: Any, **more: Any) -> Any:
            parse(more["schedule_expression"], more.get("schedule_expression_timezone") or "UTC")
            for unread in ("start_date", "end_date"):
                if more.get(unread):
                    raise NotRehearsed(f"schedule {more['name']}: {unread} would be ignored")
            return create(self, *rest, **more)

        create = replace(
            EventBridgeSchedulerBackend, "create_schedule", create_schedule, _CREATE_SCHEDULE
        )

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self.world.stopping.set()
        self._thread.join(timeout=5)

    def hold(self, name: str) -> None:
        """Let the schedule ``name``, which need not be there yet, not fire until its next time is
        approached."""
        with self._lock:
            self._held.add(name)

    def approach(self, name: str, seconds: float) -> None:
        """Set the clock to so many of its seconds before the schedule ``name`` fires next, as its
        expression, time zone and window say. Raises ``LookupError`` when it never will."""
        with self._lock:
            now = self.clock.now()
            found = [each for group in _groups() for each in group.schedules.values()]
            schedule = next((each for each in found if each.name == name), None)
            fires = self._plan(schedule, now).fires if schedule else None
            own = schedule.arn if schedule else ""
            if fires is None:
                raise LookupError(f"the schedule {name} will not fire: it is not there, or is off")
            shown = max(now, fires - timedelta(seconds=seconds))
            if shown > now:  # who sleeps through a time is not called once for each
                self._planned = {arn: one for arn, one in self._planned.items() if arn == own}
            self.clock.run_from(shown)
            self._held.discard(name)
        said = f"it is {shown:%A %H:%M} UTC; {name} fires at {fires:%H:%M}"
        self.world.events.say("schedule", said, schedule=name)

    def _run(self) -> None:
        while not self.world.stopping.wait(_TICK_SECONDS):
            with self._lock:
                self._look()

    def _look(self) -> None:
        now = self.clock.now()
        for group in _groups():
            for schedule in list(group.schedules.values()):
                if schedule.name in self._held:
                    continue
                planned = self._plan(schedule, now)
                if planned.due is None or planned.fires is None or planned.fires > now:
                    continue
                self._fire(schedule)
                planned.due = planned.times.after(planned.due)
                planned.fires = _within(schedule, planned.due)
                if planned.due is None and schedule.action_after_completion == "DELETE":
                    group.delete_schedule(schedule.name)

    def _plan(self, schedule: Any, now: datetime) -> _Planned:
        zone = schedule.schedule_expression_timezone
        seen = (schedule.creation_date, schedule.state, schedule.schedule_expression, zone)
        planned = self._planned.get(schedule.arn)
        if planned is None or planned.seen != seen:
            times = parse(schedule.schedule_expression, zone)
            due = times.first(now) if schedule.state == "ENABLED" else None
            planned = _Planned(seen, times, due, _within(schedule, due))
            self._planned[schedule.arn] = planned
        return planned

    def _fire(self, schedule: Any) -> None:
        arn, body = schedule.target["Arn"], schedule.target.get("Input", "{}")
        self.world.events.say("schedule", f"{schedule.name} fires", schedule=schedule.name)
        if why := _deliver(schedule, arn, body):
            said = f"schedule {schedule.name}: no delivery to {arn}: {why}"
            queue = schedule.target.get("DeadLetterConfig", {}).get("Arn")
            if queue and (why := _deliver(schedule, queue, body)):
                said += f"; nor to {queue}: {why}"
            self.world.events.say("error", said, schedule=schedule.name)


def _deliver(schedule: Any, arn: str, body: str) -> str:
    """Give it to the target in the name of the schedule's role; empty, or why it was not taken.
    Whatever is wrong: the next time must come all the same."""
    action = _ACTIONS.get(arn.split(":")[2], "")
    try:
        why = denial(schedule.target["RoleArn"], schedule.name, action) if action else ""
        if not why:
            send(arn, body)
    except Exception as error:  # noqa: BLE001 # see above
        return str(error)
    return why


def _groups() -> list[Any]:
    from moto.scheduler.models import scheduler_backends

    return list(scheduler_backends[ACCOUNT][REGION].schedule_groups.values())


def _within(schedule: Any, due: datetime | None) -> datetime | None:
    """Some time in the flexible window that begins when it is due."""
    window = schedule.flexible_time_window
    if due is None or window.get("Mode") != "FLEXIBLE":
        return due
    return due + timedelta(minutes=random.uniform(0, window["MaximumWindowInMinutes"]))


_ACTIONS = {
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
    "states": "states:StartExecution",
}
"""What the role must grant for a target of this service; what is of another cannot be one."""
_CREATE_SCHEDULE = "self description end_date flexible_time_window group_name kms_key_arn name"
_CREATE_SCHEDULE += " schedule_expression schedule_expression_timezone start_date state target"
_CREATE_SCHEDULE += " action_after_completion"
