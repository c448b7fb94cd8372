"""The function ``Slack``: what is published to the topic goes to a Slack channel as well."""

from __future__ import annotations

from typing import Any

from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """SNS's event → ``{"posted"}``, how many messages. What cannot be posted is raised: Lambda
    tries twice more, and then keeps the event in the queue of the undelivered."""
    for record in event["Records"]:
        said = record["Sns"]
        wiring().slack.publish(said.get("Subject") or "", said["Message"])
    return {"posted": len(event["Records"])}
