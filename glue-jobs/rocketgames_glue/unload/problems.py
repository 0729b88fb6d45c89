"""What an unload can fail of, in the service's words: it tells its users as it tells failures of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from rocketgames_glue.job_error import JobError

_MARK = "unload-problem:"
_MARKED = re.compile(re.escape(_MARK) + r"(\{[^\n]*\})")
_PERSONAL = ("primary_key",)


class UnloadProblem(JobError):
    """A failure that the service knows: its ``code`` in snake_case, and what it is about.

    ``about`` may hold the primary key of the row; that goes into the report, and nowhere else.
    """

    def __init__(self, code: str, message: str, **about: str | int) -> None:
        super().__init__(
            code.replace("_", "-"), message, **{name: value for name, value in about.items() if name not in _PERSONAL}
        )
        self.problem_code = code
        self.about = about

    def to_json(self) -> dict[str, str | int]:
        """As the report has it. Only here is the row's key in the message, as in the service's own."""
        key = self.about.get("primary_key")
        message = self.message.replace(" of a row ", f" of the row {key} ", 1) if key is not None else self.message
        return {"code": self.problem_code, "message": message, **self.about}

    def to_driver(self) -> dict[str, str | int]:
        """As an executor answers; the key is a member by itself, because the driver's log has none."""
        return {"code": self.problem_code, "message": self.message, **self.about}

    def marked(self) -> str:
        """A text that Spark may carry from an executor to the driver; without the row's key."""
        return _MARK + json.dumps({"code": self.problem_code, "message": self.message, **self.facts})


def problem_of(given: Mapping[str, str | int]) -> UnloadProblem:
    """The problem that an executor told by what ``to_driver`` or ``marked`` of :class:`UnloadProblem` made."""
    about = {name: value for name, value in given.items() if name not in ("code", "message")}
    return UnloadProblem(str(given["code"]), str(given["message"]), **about)


def marked_problem(text: str) -> UnloadProblem | None:
    """The problem that an exception's text carries."""
    found = _MARKED.search(text)
    try:
        return problem_of(json.loads(found[1])) if found else None
    except (ValueError, KeyError):
        return None
