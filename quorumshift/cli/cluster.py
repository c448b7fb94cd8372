"""The cluster of a deployed service, looked at through its function ``Observe``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quorumshift.cli.service import Service

if TYPE_CHECKING:
    from quorumshift.domain.health import Verdict
    from quorumshift.domain.look import Look
    from quorumshift.domain.raft import ClusterObservation


class Cluster:
    """Looks, and judges by the policy and the Raft of the configuration file."""

    def __init__(self, service: Service) -> None:
        """Raises ``ObservationFailed``."""
        from quorumshift.adapters.aws.observe_function import ObserveFunction
        from quorumshift.adapters.raft.dialects import dialect

        options, raft = service.options, service.configuration.raft
        self._function = ObserveFunction(service.names, options.region, options.profile)
        self.policy = raft.policy
        self.dialect = dialect(raft.dialect)

    def look(self, deployment: str | None) -> Look:
        """One look. Raises ``ObservationFailed``."""
        return self._function.look(deployment)

    def verdict(self, observation: ClusterObservation) -> Verdict:
        """What one look says of the cluster's health."""
        from quorumshift.domain.health import assess

        return assess(observation, self.policy, self.dialect.first_contract)
