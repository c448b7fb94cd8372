"""What SnakeTron's Raft can do, told without loading gRPC.

This is the service with the extension of its contract (``docs/snaketron.md``). A single node that
speaks the first contract only says so in its report (``Report.joins_only``).
"""

from __future__ import annotations

from quorumshift.domain.policy import Dialect, FirstContract

DIALECT = Dialect(
    name="snaketron",
    learners_at_a_time=1,
    leadership_transfer=True,
    removal=True,
    membership_list=True,
    joins_need_every_voter=True,
    first_contract=FirstContract(
        name="SnakeTron's first contract",
        lacks=("RequestRemoval", "RequestLeadershipTransfer"),
        page="docs/snaketron.md",
    ),
)

ENVIRONMENT = {"SNAKETRON_RAFT_PROMOTION": "orchestrated"}
"""What a node's container must be told: by itself a node asks for its own promotion, and green
would vote before any traffic moves."""
