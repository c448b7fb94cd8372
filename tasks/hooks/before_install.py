"""Hook ``BeforeInstall``: the cluster is healthy and stable; its votes are locked."""

from __future__ import annotations

from tasks.hooks import hook

handler = hook("BeforeInstall", lambda w, asked: w.checks.before_install(asked.deployment))
