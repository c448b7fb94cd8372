"""The load balancer's part of the story: where the traffic goes, and which targets are well."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from quorumshift.rehearsal.balancer.state import Desired, Listener
from quorumshift.rehearsal.world import World


class Traffic:
    """Speaks when something is in force, not when it was asked for."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shown: dict[str, dict[str, int]] = {}
        self._names: dict[str, str] = {}

    def applied(self, desired: Desired, refused: Collection[str]) -> None:
        """Say each listener's weights where they are others than before."""
        self._names = {group.arn: group.name for group in desired.groups}
        for listener in desired.listeners:
            shares = self._percent(listener)
            if listener.arn not in refused and shares != self._shown.get(listener.arn):
                self._shown[listener.arn] = shares
                said = ", ".join(f"{name} {share} %" for name, share in shares.items())
                text = f"port {listener.port}: {said or 'no target group'}"
                self._world.events.say("traffic", text, port=listener.port, **shares)

    def health(self, message: Mapping[str, Any]) -> None:
        """Say a target's new health."""
        group = self._names.get(message["group"], message["group"])
        where = f"{group} {message['id']}:{message['port']}"
        why = f" ({message['description']})" if message["description"] else ""
        self._world.events.say(
            "target",
            f"{where} is {message['state']}{why}",
            group=group,
            target=message["id"],
            state=message["state"],
            reason=message["reason"],
        )

    def _percent(self, listener: Listener) -> dict[str, int]:
        """Colour or group name → per cent, of the default rule."""
        shares = listener.rules[-1].action.shares
        total = sum(share.weight for share in shares)
        names = [self._names.get(share.group, share.group) for share in shares]
        labels = [_colour(name) for name in names]
        if len(set(labels)) < len(labels):
            labels = names
        return {
            label: round(100 * share.weight / total) if total else 0
            for label, share in zip(labels, shares, strict=True)
        }


def _colour(name: str) -> str:
    return next((colour for colour in ("blue", "green") if colour in name.lower()), name)
