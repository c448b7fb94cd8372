"""Where the hooks leave what they saw.

The engine keeps a hook's yes or no and nothing else, and a hook runs outside of the execution. So
each answer is one JSON line in the service's log group for evidence, in a stream named for the
deployment; whoever polls reads the stream back into the execution's own history.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code
from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.errors import Transient
from quorumshift.domain.rollout import Check
from quorumshift.ports import Clock

_LONGEST = 200_000
"""CloudWatch Logs takes events of up to 256 KiB."""
_MOST_PAGES = 100
"""A page holds 1 MB; five hooks leave less than that."""


class EvidenceLog:
    """Implements ``ports.Evidence`` with CloudWatch Logs.

    An event can be read a few seconds after it was written, so the newest answer may be missing
    from a look; the next one has it.
    """

    def __init__(self, logs: Any, group: str, clock: Clock) -> None:
        self._logs = logs
        self._group = group
        self._clock = clock

    def write(self, deployment: str, check: Check) -> None:
        """Append one answer."""
        try:
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=deployment)
        except ClientError as error:
            if code(error) != "ResourceAlreadyExistsException":
                raise
        line = json.dumps(to_json(check), ensure_ascii=False)
        if len(line.encode()) > _LONGEST:
            line = json.dumps(to_json(replace(check, reason=check.reason[:2000], evidence={})))
        self._logs.put_log_events(
            logGroupName=self._group,
            logStreamName=deployment,
            logEvents=[{"timestamp": int(self._clock.now() * 1000), "message": line}],
        )

    def read(self, deployment: str) -> tuple[Check, ...]:
        """All answers so far, oldest first; of several by one name, the first.

        The first counts because the engine takes the first answer only.
        """
        checks: dict[str, Check] = {}
        for line in self._lines(deployment):
            try:
                check = from_json(Check, json.loads(line))
            except ValueError:
                continue  # not written by us: the group is open to people with the console
            checks.setdefault(check.name, check)
        return tuple(checks.values())

    def _lines(self, deployment: str) -> list[str]:
        arguments = {
            "logGroupName": self._group,
            "logStreamName": deployment,
            "startFromHead": True,
        }
        lines: list[str] = []
        token = None
        for _ in range(_MOST_PAGES):
            try:
                page = self._logs.get_log_events(
                    **arguments, **({"nextToken": token} if token else {})
                )
            except ClientError as error:
                if code(error) == "ResourceNotFoundException":
                    return lines  # no hook has answered yet
                raise
            lines += [event["message"] for event in page["events"]]
            # A page may be empty though more follow; the last one answers with the token it was
            # asked with (API reference of GetLogEvents).
            if page["nextForwardToken"] == token:
                return lines
            token = page["nextForwardToken"]
        raise Transient(
            f"the log stream {self._group}/{deployment} has not ended after {_MOST_PAGES} pages; "
            "try again"
        )
