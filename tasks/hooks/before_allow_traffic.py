"""Hook ``BeforeAllowTraffic``: the cluster is still healthy, green is what was asked for."""

from __future__ import annotations

from tasks.hooks import hook

handler = hook(
    "BeforeAllowTraffic", lambda w, asked: w.checks.before_allow_traffic(asked.deployment)
)
