"""EventBridge: events of AWS services and of ``PutEvents``, delivered to the rules' targets.

moto matches patterns but delivers to queues and log groups alone. Delivery here is at once and
asynchronous for the target, as on AWS; a target that cannot be reached is said aloud and goes to
its dead-letter queue, where it has one.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.aws.loud import NotRehearsed
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

_NO_SCHEDULES = "rules do not fire on a schedule here; take EventBridge Scheduler's"
_PLACEHOLDER = re.compile(r"<([\w.-]+)>")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]")


def emit(
    world: World,
    source: str,
    detail_type: str,
    detail: dict[str, Any],
    resources: Sequence[str] = (),
) -> None:
    """An AWS service (``source``: ``aws.codedeploy``) tells the default bus that something
    happened. Never raises: whoever emits has done its work already."""
    from moto.events.models import events_backends

    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": _iso(datetime.now(UTC)),
        "region": REGION,
        "resources": list(resources),
        "detail": detail,
    }
    for rule in list(events_backends[ACCOUNT][REGION].event_buses["default"].rules.values()):
        deliver(world, rule, event)


def deliver(world: World, rule: Any, event: dict[str, Any]) -> None:
    """Give the event to each target of the rule, if the rule is enabled and its pattern fits."""
    if rule.state == "DISABLED" or not rule.event_pattern.get_pattern():
        return
    if not rule.event_pattern.matches_event(event):
        return
    for target in list(rule.targets):
        try:
            send(target["Arn"], target_input(target, event))
        except Exception as error:  # noqa: BLE001 # one target's trouble is not the others'
            said = f"rule {rule.name}: no delivery to {target['Arn']}: {error}"
            world.events.say("error", said, rule=rule.name)
            if queue := target.get("DeadLetterConfig", {}).get("Arn"):
                send(queue, json.dumps(event))


def target_input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """What a target is given: its constant, a part of the event, a text made from it, or all."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    if "InputTransformer" in target:
        transformer = target["InputTransformer"]
        values = {
            name: _at(event, path) for name, path in transformer.get("InputPathsMap", {}).items()
        }
        values["aws.events.event.json"] = values["aws.events.event"] = event
        return _filled(transformer["InputTemplate"], values)
    return json.dumps(event)


def _filled(template: str, values: dict[str, Any]) -> str:
    """Placeholders inside quotes become plain text, the others JSON."""
    done, last = [], 0
    for found in _PLACEHOLDER.finditer(template):
        if found[1] not in values:
            raise NotRehearsed(f"the input template's <{found[1]}> is not in its InputPathsMap")
        before = template[: found.start()].replace('\\"', "")
        value = values[found[1]]
        if before.count('"') % 2:
            text = value if isinstance(value, str) else json.dumps(value)
            text = json.dumps(text)[1:-1]
        else:
            text = json.dumps(value)
        done += [template[last : found.start()], text]
        last = found.end()
    return "".join([*done, template[last:]])


def _at(event: Any, path: str) -> Any:
    """The value at a JSONPath of names and indexes; ``None`` where there is none."""
    value = event
    rest = path.removeprefix("$")
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise NotRehearsed(f"the JSONPath {path!r} of an event is more than names and indexes")
        key = step[1] or step[3] or int(step[2])
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
        rest = rest[step.end() :]
    return value


def send(arn: str, body: str) -> None:
    """Give ``body`` to the resource, as EventBridge and Scheduler do. Raises for one that does
    not exist, and :class:`NotRehearsed` for a kind that nobody built."""
    _sender(arn)(arn, body)


def _sender(arn: str) -> Callable[[str, str], None]:
    service = arn.split(":")[2]
    if service not in _SENDERS:
        raise NotRehearsed(
            f"events for {arn}: targets can be {', '.join(sorted(_SENDERS))};"
            " add others in quorumshift/rehearsal/aws/events.py"
        )
    return _SENDERS[service]


def _to_function(arn: str, body: str) -> None:
    from moto.awslambda.models import lambda_backends

    function = lambda_backends[ACCOUNT][REGION].get_function(arn)
    function.invoke(body, {"x-amz-invocation-type": "Event"}, {})


def _to_topic(arn: str, body: str) -> None:
    from moto.sns.models import sns_backends

    sns_backends[ACCOUNT][REGION].publish(message=_text(body), arn=arn)


def _to_queue(arn: str, body: str) -> None:
    from moto.sqs.models import sqs_backends

    sqs_backends[ACCOUNT][REGION].send_message(arn.rpartition(":")[2], body)


def _to_machine(arn: str, body: str) -> None:
    from moto.stepfunctions.responses import get_backend

    get_backend(ACCOUNT, REGION).start_execution(arn, str(uuid.uuid4()), body)


def _to_log_group(arn: str, body: str) -> None:
    from moto.logs.models import logs_backends

    logs, group = logs_backends[ACCOUNT][REGION], arn.split(":log-group:")[1].removesuffix(":*")
    logs.ensure_log_stream(group, "events")
    now = int(datetime.now(UTC).timestamp() * 1000)
    logs.put_log_events(group, "events", [{"timestamp": now, "message": body}])


_SENDERS = {
    "lambda": _to_function,
    "logs": _to_log_group,
    "sns": _to_topic,
    "sqs": _to_queue,
    "states": _to_machine,
}


def _text(body: str) -> str:
    """A topic is given a JSON string without its quotes."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    return value if isinstance(value, str) else body


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class EventsEngine:
    """Puts this delivery in the place of moto's."""

    def __init__(self, world: World) -> None:
        self.world = world

    def install(self) -> None:
        """Patch the rules."""
        from moto.events.models import Rule

        world = self.world

        def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
            event = {k: v for k, v in original_event.items() if k != "ingestion-time"}
            if not isinstance(event["time"], str):
                event["time"] = _iso(datetime.fromtimestamp(float(event["time"]), UTC))
            deliver(world, self, event)

        def put_targets(self: Any, targets: list[dict[str, Any]]) -> None:
            for target in targets:
                _sender(target["Arn"])
            put(self, targets)

        replace(Rule, "send_to_targets", send_to_targets, "self original_event transform_input")
        put = replace(Rule, "put_targets", put_targets, "self targets")
        _refuse_scheduled_rules()

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""


def _refuse_scheduled_rules() -> None:
    from moto.events.models import EventsBackend

    def put_rule(self: Any, name: str, *rest: Any, **more: Any) -> Any:
        if more.get("scheduled_expression") and more.get("state") != "DISABLED":
            raise NotRehearsed(f"rule {name}: {_NO_SCHEDULES}")
        return put(self, name, *rest, **more)

    put = replace(EventsBackend, "put_rule", put_rule, _PUT_RULE)


_PUT_RULE = "self name description event_bus_arn event_pattern role_arn scheduled_expression"
_PUT_RULE += " state managed_by tags"
