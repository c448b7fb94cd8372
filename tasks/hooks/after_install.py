"""Hook ``AfterInstall``: every green task runs, is steady and healthy, and none votes."""

from __future__ import annotations

from tasks.hooks import hook

handler = hook("AfterInstall", lambda w, asked: w.checks.after_install(asked.deployment))
