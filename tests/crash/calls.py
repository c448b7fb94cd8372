"""Every call that goes out of a function: numbered, and failed as the schedule says."""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import botocore.exceptions
from botocore import xform_name
from greenlet import getcurrent

from quorumshift.adapters.aws.client import ONCE, Client
from quorumshift.adapters.aws.newer_fields import RAW
from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import RaftView
from quorumshift.ports import Reply
from tests.adapters.aws_api import model, refusal
from tests.adapters.memory_raft import MemoryRaft
from tests.crash.faults import Fault, Schedule
from tests.crash.functions import Functions
from tests.crash.hub import Hub, Killed

Step = Callable[[str, str, Callable[[], Any]], Any]
LATENCY = 0.03
TRIES_SECONDS = 15.0
"""What the SDK's tries take before it gives up."""
_ONCE = frozenset(map(xform_name, ONCE))
FRESH_SECONDS = 30.0
"""How old a stale answer may be."""
_READS = ("describe", "list", "get", "batch", "observe")


@dataclass(frozen=True, slots=True)
class Call:
    """``by``: the function that made it. ``fault``: what was done to it, if anything."""

    number: int
    at: float
    by: str
    api: str
    operation: str
    fault: str = ""


def reads(operation: str) -> bool:
    """Whether it changes nothing."""
    return operation.startswith(_READS)


class Calls:
    """``made``: all so far. ``began``: when the run did."""

    def __init__(self, hub: Hub, functions: Functions, schedule: Schedule, began: float) -> None:
        self.made: list[Call] = []
        self._hub = hub
        self._functions = functions
        self._faults = {int(one.at): one for one in schedule if one.of_a_call}
        self._outages = [
            (one.api, began + one.at, began + one.at + one.seconds) for one in schedule if one.api
        ]
        self._remembers = any(one.kind == "stale" for one in schedule)
        self._answers: dict[str, tuple[float, Any]] = {}

    def out(self, api: str) -> bool:
        """Whether it is out of order now."""
        if not self._outages:
            return False
        whole = "all" if api not in ("raft", "lambda") else api
        now = self._hub.now
        return any(
            name in (api, whole) and begin <= now < end for name, begin, end in self._outages
        )

    def make(self, api: str, operation: str, given: Any, do: Callable[[], Any]) -> Any:
        """Do it, or fail as the schedule says."""
        by = self._functions.names.get(id(getcurrent()), "?")
        number = len(self.made)
        fault = self._faults.get(number)
        self.made.append(
            Call(number, self._hub.now, by, api, operation, fault.kind if fault else "")
        )
        self._hub.sleep(LATENCY)
        if self.out(api):
            self._no_connection(api)
        answer = do() if fault is None else self._fail(fault, api, operation, given, do)
        if self._remembers and reads(operation):
            self._answers[self._key(api, operation, given)] = (self._hub.now, answer)
        return answer

    def _key(self, api: str, operation: str, given: Any) -> str:
        return f"{api} {operation} {json.dumps(given, default=str, sort_keys=True)}"

    def _answer_before(self, api: str, operation: str, given: Any, now: Any) -> Any:
        at, old = self._answers.get(self._key(api, operation, given), (0.0, now))
        return old if self._hub.now - at <= FRESH_SECONDS else now

    def _no_connection(self, api: str) -> None:
        self._hub.sleep(TRIES_SECONDS)
        raise botocore.exceptions.EndpointConnectionError(endpoint_url=f"https://{api}.example")

    def _fail(
        self, fault: Fault, api: str, operation: str, given: Any, do: Callable[[], Any]
    ) -> Any:
        if fault.kind == "refused":
            self._no_connection(api)
        if fault.kind == "slow":
            self._hub.sleep(TRIES_SECONDS)
            return do()
        if fault.kind == "throttled":
            self._hub.sleep(TRIES_SECONDS)
            raise refusal("ThrottlingException")
        if fault.kind == "denied":
            raise refusal("AccessDeniedException")
        if fault.kind == "stale":
            return self._answer_before(api, operation, given, do())
        if fault.kind == "strange" and reads(operation) and api != "raft":
            return {}  # what botocore makes of a page of HTML (``adapters/aws/answers.py``)
        if fault.kind == "ignored" and api == "raft" and not reads(operation):
            return None
        if fault.kind == "twice":
            first = do()
            try:
                return do()
            except botocore.exceptions.ClientError:
                return first
        answer = do()
        if fault.kind == "killed":
            raise Killed
        if fault.kind != "lost":
            return answer
        if operation in _ONCE:
            raise botocore.exceptions.ReadTimeoutError(endpoint_url=f"https://{api}.example")
        if api == "raft":
            raise botocore.exceptions.ReadTimeoutError(endpoint_url="http://node.example")
        self._hub.sleep(1)
        return do() or answer

    def client(self, api: str, operations: dict[str, Callable[..., Any]]) -> Client:
        """Stands for ``tasks.wiring.client``."""
        return Client(lambda: _Api(self, api, operations))


class _Silent:
    """No events: nothing of botocore's own runs here."""

    def register(self, *_: Any, **__: Any) -> None:
        """Nobody is ever told."""

    register_first = register_last = register


class _Api:
    """One client of botocore."""

    def __init__(self, calls: Calls, api: str, operations: dict[str, Callable[..., Any]]) -> None:
        self.meta = types.SimpleNamespace(service_model=model(api), events=_Silent())
        self._calls, self._api, self._operations = calls, api, operations

    def __getattr__(self, name: str) -> Callable[..., Any]:
        do = self._operations[name]

        def call(**given: Any) -> Any:
            given.pop(RAW, None)
            answer = self._calls.make(self._api, name, given, lambda: do(**given))
            # What the client tells besides, of one that answers what its model knows alone.
            return {**answer, RAW: answer} if "taskDefinition" in answer else answer

        return call


class FaultyRaft:
    """``ports.RaftControl`` with the same faults. ``step`` makes each change."""

    def __init__(self, calls: Calls, raft: MemoryRaft, step: Step) -> None:
        self.dialect: Dialect = raft.dialect
        self._calls = calls
        self._raft = raft
        self._step = step

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Never raises: who does not answer is missing."""
        try:
            found = self._calls.make(
                "raft", "observe", list(addresses), lambda: self._raft.observe(addresses)
            )
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            return self._raft.observe(())
        return found  # type: ignore[no-any-return] # what the lambda returned

    def admit(self, address: str, via: Sequence[str]) -> None:
        """See ``ports``."""
        self._change("admit", address, lambda: self._raft.admit(address, via))

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """See ``ports``."""
        self._change("promote", raft_id, lambda: self._raft.promote(raft_id, via))

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """See ``ports``."""
        self._change("transfer", raft_id, lambda: self._raft.transfer(raft_id, via))

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """See ``ports``."""
        self._change("remove", raft_id, lambda: self._raft.remove(raft_id, via))

    def _change(self, operation: str, whom: str, do: Callable[[], None]) -> None:
        try:
            self._calls.make("raft", operation, whom, lambda: self._step(operation, whom, do))
        except botocore.exceptions.ClientError as error:
            raise ChangeRefused(f"cannot {operation} {whom}: {error}") from error
        except botocore.exceptions.BotoCoreError as error:
            raise Transient(f"cannot {operation} {whom}: {error}") from error


class FaultyProbe:
    """``ports.Probe``: every healthy task answers."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def get(self, url: str) -> Reply:
        """Never raises."""
        try:
            self._calls.make("probe", "get", url, lambda: None)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            return Reply(False, str(error))
        return Reply(True, url)

    websocket = get
