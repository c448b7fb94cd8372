"""SNS: what is published is shown, whoever publishes it. Nothing leaves the machine.

A subject that SNS refuses is refused: moto takes a hundred characters and whatever they are.
"""

from __future__ import annotations

from typing import Any

from quorumshift.domain.notice import subject_line
from quorumshift.rehearsal.aws.loud import Refused
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import World


class _InvalidParameter(Refused):
    code = "InvalidParameter"


class NotificationsEngine:
    """Tells the world's event log of each message, as event kind ``notification``."""

    def __init__(self, world: World) -> None:
        self.world = world

    def install(self) -> None:
        """Look at every message of every topic."""
        from moto.sns.models import Topic

        world = self.world

        def tell_and_publish(
            self: Any, message: str, subject: str | None = None, *rest: Any, **more: Any
        ) -> Any:
            if subject is not None and (len(subject) > 99 or not subject.isprintable()):
                raise _InvalidParameter(f"Invalid parameter: Subject: {subject!r}")
            said = subject or subject_line(message.partition("\n")[0])
            world.events.say(
                "notification", said, message=message, subject=subject, topic=self.name
            )
            return publish(self, message, subject, *rest, **more)

        names = "self message subject message_attributes group_id deduplication_id"
        publish = replace(Topic, "publish", tell_and_publish, f"{names} message_structure")

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""
