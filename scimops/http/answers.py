"""An answer as plain data: the body of bounded size, and its JSON.

What came is shown by no repr: it may hold a token or people's data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

Json = dict[str, Any]

MAX_BODY = 32 << 20
"""How many bytes of one answer are read; a page of a thousand people is about one million."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end. `problem` says why it is not whole."""

    status: int
    kind: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)
    date: str = field(default="", repr=False)
    retry_after: str = field(default="", repr=False)
    location: str = field(default="", repr=False)
    etag: str = field(default="", repr=False)
    problem: str = field(default="", repr=False)

    @property
    def good(self) -> bool:
        """Is the HTTP status one of success?"""
        return 200 <= self.status < 300

    @property
    def is_page(self) -> bool:
        """Is it a web page?"""
        return "html" in self.kind or self.body.lstrip()[:1] == b"<"


def read_json(answer: Answer) -> tuple[Any, str]:
    """The document of an answer, and what is wrong with it (empty: nothing)."""
    if answer.problem:
        return None, answer.problem
    if answer.is_page:
        return None, "a web page came where data was expected"
    if answer.kind and not answer.kind.endswith(("/json", "+json")):
        return None, f'data of the type "{answer.kind}" came where JSON was expected'
    try:
        return json.loads(answer.body.decode("utf-8"), parse_constant=_no_number), ""
    except (ValueError, RecursionError):
        return None, "its JSON is cut off or broken"


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
