"""Hook ``AfterAllowTestTraffic``: green answers real requests."""

from __future__ import annotations

from tasks.hooks import hook

handler = hook(
    "AfterAllowTestTraffic",
    lambda w, asked: w.checks.after_allow_test_traffic(asked.deployment),
)
