"""Remembers what people were told, as the names of empty streams in the log group for evidence."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code


class ToldOnce:
    """Implements ``ports.Told``. A stream can be made once: who makes it is the first."""

    def __init__(self, logs: Any, group: str) -> None:
        self._logs = logs
        self._group = group

    def first(self, cause: str) -> bool:
        """``cause``: letters, digits, ``-``."""
        try:
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=f"told-{cause}")
        except ClientError as error:
            if code(error) == "ResourceAlreadyExistsException":
                return False
            raise
        return True
