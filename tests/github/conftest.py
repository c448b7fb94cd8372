"""The embedded AWS that an action deploys to."""

from tests.rehearsal.conftest import aws, functions, machine, role, world

__all__ = ["aws", "functions", "machine", "role", "world"]
