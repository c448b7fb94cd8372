"""The alarms of a deployment group: one in ALARM stops the deployment.

Watched from the start until blue begins to be removed. AWS's documentation does not say whether
they are watched during the termination wait; here they are, because a roll-back at that moment is
what a deployment must survive.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import botocore.exceptions

from quorumshift.rehearsal.aws.codedeploy_errors import Interrupted
from quorumshift.rehearsal.aws.codedeploy_models import Deployment
from quorumshift.rehearsal.world import World

EVERY = 0.3
"""Real seconds between two looks."""


def configuration(raw: Any) -> dict[str, Any]:
    """A group's alarm configuration as a dictionary, however moto keeps it."""
    if raw is None:
        return {}
    if isinstance(raw, Mapping):
        return dict(raw)
    return {
        "enabled": bool(raw.enabled),
        "ignorePollAlarmFailure": bool(raw.ignore_poll_alarm_failure),
        "alarms": list(raw.alarms),
    }


def names(alarms: Mapping[str, Any]) -> list[str]:
    """The alarms to watch; none when the configuration is not enabled."""
    if not alarms.get("enabled"):
        return []
    return [str(alarm["name"]) for alarm in alarms.get("alarms") or []]


def trouble(world: World, alarms: Mapping[str, Any]) -> str | None:
    """What speaks against going on: alarms in ALARM, or (unless ``ignorePollAlarmFailure``) alarms
    that cannot be read."""
    watched = names(alarms)
    if not watched:
        return None
    try:
        answer = world.client("cloudwatch").describe_alarms(
            AlarmNames=watched, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
    except botocore.exceptions.BotoCoreError as error:
        return _unread(alarms, f"The alarms could not be read ({type(error).__name__}).")
    except botocore.exceptions.ClientError as error:
        return _unread(alarms, f"The alarms could not be read ({error}).")
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    active = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
    if active:
        return f"One or more alarms have been activated: {', '.join(sorted(active))}"
    missing = sorted(set(watched) - {alarm["AlarmName"] for alarm in found})
    if missing:
        return _unread(alarms, f"There is no alarm {', '.join(missing)}.")
    return None


def _unread(alarms: Mapping[str, Any], message: str) -> str | None:
    return None if alarms.get("ignorePollAlarmFailure") else message


class Watch:
    """Looks until :meth:`stop`; interrupts the deployment once."""

    def __init__(self, world: World, deployment: Deployment, roll_back: bool) -> None:
        self._world = world
        self._deployment = deployment
        self._roll_back = roll_back
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"alarms-{deployment.id}", daemon=True
        )

    def start(self) -> None:
        """Look now, raising :class:`Interrupted` for an alarm that is active; then keep looking."""
        if not names(self._deployment.alarms):
            return
        found = trouble(self._world, self._deployment.alarms)
        if found is not None:
            raise self._interruption(found)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(EVERY) and not self._world.stopping.is_set():
            found = trouble(self._world, self._deployment.alarms)
            if found is not None and not self._over.is_set():
                self._deployment.interrupt(self._interruption(found))
                return

    def _interruption(self, found: str) -> Interrupted:
        return Interrupted("ALARM_ACTIVE", found, self._roll_back)
