"""The load balancer's engine: a process follows moto's ELBv2 records, and the records tell what
the process sees.

AWS takes a moment to apply a change, and so does this: the records are compared every 25 ms.
Creating a listener alone waits, because a port that is taken must fail there and nowhere else.
"""

from __future__ import annotations

import threading
from typing import Any

from quorumshift.rehearsal.aws.balancer_process import BalancerProcess
from quorumshift.rehearsal.aws.balancer_state import Reader
from quorumshift.rehearsal.aws.metrics import put_balancer_metrics
from quorumshift.rehearsal.aws.target_health import TargetHealth
from quorumshift.rehearsal.aws.traffic import Traffic
from quorumshift.rehearsal.aws.wrapping import wrap
from quorumshift.rehearsal.world import ACCOUNT, REGION, World

_EVERY = 0.025


class BalancerEngine:
    """One load balancer process for all of moto's load balancers, on ``world.block.balancer``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.health = TargetHealth()
        self._process: BalancerProcess | None = None
        self._following: threading.Thread | None = None
        self._stopping = threading.Event()
        self._told: set[str] = set()
        self._traffic = Traffic(world)

    @property
    def pid(self) -> int | None:
        """The balancer process."""
        return self._process.pid if self._process else None

    def install(self) -> None:
        """Patch moto: names, registrations, target health, and listeners that must be opened."""
        from moto.elbv2.models import ELBv2Backend, FakeTargetGroup

        wrap(
            ELBv2Backend,
            "create_load_balancer",
            "self name security_groups subnet_ids subnet_mappings scheme loadbalancer_type"
            " ip_address_type tags",
            self._create_load_balancer,
        )
        wrap(
            ELBv2Backend,
            "create_listener",
            "self load_balancer_arn protocol port ssl_policy certificate actions alpn_policy tags",
            self._create_listener,
        )
        wrap(
            ELBv2Backend,
            "describe_target_health",
            "self target_group_arn targets",
            self._describe_target_health,
        )
        wrap(FakeTargetGroup, "register", "self targets", self._register)
        wrap(FakeTargetGroup, "deregister", "self targets", self._deregister)

    def start(self) -> None:
        """Start the process. Raises ``RuntimeError`` when it does not come up."""
        handlers = {
            "applied": self._on_applied,
            "health": self._on_health,
            "metrics": self._on_metrics,
        }
        self._process = BalancerProcess(self.world, handlers, self._on_lost)
        self._process.wait_until_ready()
        self._following = threading.Thread(target=self._follow, name="balancer-state", daemon=True)
        self._following.start()

    def stop(self) -> None:
        """End the process; its ports are free afterwards."""
        self._stopping.set()
        if self._following is not None:
            self._following.join(3)
        if self._process is not None:
            self._process.stop()

    def settle(self) -> None:
        """Wait until all that moto's records say now is in force.

        Raises ``RuntimeError`` when the process does not say so within ten seconds.
        """
        if self._process is not None:
            self._process.wait_for(self._send(self._process))

    # What moto's methods do now. ``original`` is bound to the record that was called.

    def _create_load_balancer(self, original: Any, _: Any, *values: Any, **named: Any) -> Any:
        balancer = original(*values, **named)
        balancer.dns_name = self.world.block.balancer
        return balancer

    def _create_listener(self, original: Any, backend: Any, *values: Any, **named: Any) -> Any:
        from moto.elbv2.exceptions import ResourceInUseError

        listener = original(*values, **named)
        self.settle()
        if self._process is not None and listener.arn in self._process.refused:
            port, error = self._process.refused[listener.arn]
            backend.delete_listener(listener.arn)
            raise ResourceInUseError(_busy(self.world.block.balancer, port, error))
        return listener

    def _register(self, original: Any, group: Any, targets: list[dict[str, Any]]) -> None:
        with self.health.lock:
            fresh = [target for target in targets if target["Id"] not in group.targets]
            original(targets)
            for target in fresh:
                port = int(target.get("Port") or group.port)
                self.health.register(group.arn, target["Id"], port)

    def _deregister(self, original: Any, group: Any, targets: list[dict[str, Any]]) -> None:
        """AWS: "if the specified target does not exist, the action returns successfully"."""
        with self.health.lock:
            known = [target for target in targets if target["Id"] in group.targets]
            original(known)
            for target in known:
                self.health.deregister(group.arn, target["Id"], self._uses(group.arn))

    def _describe_target_health(
        self, _: Any, backend: Any, target_group_arn: str, targets: list[dict[str, Any]]
    ) -> list[Any]:
        from moto.elbv2.exceptions import TargetGroupNotFoundError
        from moto.elbv2.models import FakeHealthStatus

        group = backend.target_groups.get(target_group_arn)
        if group is None:
            raise TargetGroupNotFoundError
        present = {one["Id"]: int(one["Port"]) for one in list(group.targets.values())}
        present |= {id: port for id, port in self.health.draining(group.arn) if id not in present}
        answer = []
        for id in [target["Id"] for target in targets] or list(present):
            state, reason, description = self.health.of(group.arn, id)
            port: Any = present.get(id) or int(group.port)
            check = str(group.health_check_port)
            check = str(port) if check == "traffic-port" else check
            answer.append(
                FakeHealthStatus(id, port, check, state, reason or None, description or None)
            )
        return answer

    # To the process.

    def _follow(self) -> None:
        assert self._process is not None
        while not self._stopping.wait(_EVERY):
            try:
                self._send(self._process)
            except BrokenPipeError:
                return  # the thread that reads says so

    def _send(self, process: BalancerProcess) -> int:
        from moto.elbv2.models import elbv2_backends

        with self.health.lock:
            reader = Reader(elbv2_backends[ACCOUNT][REGION], self.health.number)
            desired = reader.read()
            version = process.send(desired)
            self.health.mark_sent()
        for trouble in reader.troubles:
            self._complain(trouble)
        return version

    # From the process.

    def _on_applied(self, message: dict[str, Any]) -> None:
        for port, error in message["refused"].values():
            self._complain(_busy(self.world.block.balancer, port, error))
        self._traffic.applied(message["desired"], message["refused"])

    def _on_health(self, message: dict[str, Any]) -> None:
        if self.health.report(message):
            self._traffic.health(message)

    def _on_metrics(self, message: dict[str, Any]) -> None:
        if self._process is not None and self._process.sent is not None:
            put_balancer_metrics(self.world, self._process.sent, message)

    def _on_lost(self, text: str) -> None:
        self.health.lose()
        self._complain(text)

    def _uses(self, group: str) -> bool:
        sent = self._process.sent if self._process else None
        return sent is not None and any(one.used for one in sent.groups if one.arn == group)

    def _complain(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.world.events.say("error", text)


def _busy(address: str, port: int, error: str) -> str:
    return (
        f"the load balancer cannot listen on {address}:{port}: {error}."
        f" Find who does with `ss -ltnp 'sport = :{port}'` and end it, or choose another port."
    )
