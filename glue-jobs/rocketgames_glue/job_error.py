"""Failures that a job tells in one line: a code for machines, a sentence for people."""

from __future__ import annotations

from typing import Any


class JobError(Exception):
    """What is wrong, what was found and what to do: ends the job with exit code 1.

    ``facts`` are counts, keys and names for the log; never a row's value, never a secret.
    """

    exit_code = 1

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class UsageError(JobError):
    """Wrong arguments or settings: nothing was begun. Ends the job with exit code 2."""

    exit_code = 2

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__("usage", message, **facts)
