"""What every action of the management API shares: its call, its envelope, its errors.

An answer is an envelope `{data, status, message, validationMessages}` (every `ServiceResultOf…` schema of the
platform's OpenAPI file). Our own additions stand in the object `scimops` inside `data`, and nowhere else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from scimops.errors import nearest
from scimops.service_provider.database import utc
from scimops.service_provider.directory import NotFoundError
from scimops.setting import Text

Json = dict[str, Any]

Name = Annotated[Text, Field(max_length=64)]
"""A name: not blank, no control character, at most 64 characters; a plain `Field` would not narrow `Text`."""


class Refusal(Exception):  # noqa: N818  # an answer, not a fault
    """A request that is answered with an error: its status, what is wrong, and where in the body."""

    def __init__(
        self, status: int, message: str, validation: Sequence[str] = (), retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message = status, message
        self.validation, self.retry_after = list(validation), retry_after


class Body(BaseModel):
    """A request body: names in camelCase and in any case, as the platform's own documentation mixes them."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _names_in_any_case(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        known: dict[str, str] = {}
        for name, info in cls.model_fields.items():
            alias = info.alias or name
            known |= {alias.lower(): alias, name.lower(): alias}
        return {known.get(str(key).lower(), key): inner for key, inner in value.items()}


B = TypeVar("B", bound=Body)


@dataclass(frozen=True)
class Caller:
    """Who calls: a credential of one company, or of a reseller (None), and from where."""

    client_id: str
    company_id: str | None
    ip: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class Call(Generic[B]):
    """One call of an action, inside its transaction. `company_id` is whom it acts for."""

    connection: sa.Connection
    caller: Caller
    company_id: str
    body: B
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id in the path."""
        return self.path["id"]


@dataclass(frozen=True)
class Action:
    """One method of one path: what it does, whether it writes, the body it takes, whether it acts for one company."""

    work: Callable[[Call[Any]], Any]
    writes: bool = False
    body: type[Body] | None = None
    of_company: bool = True


class NoBody(Body):
    """An action that takes none."""


def envelope(data: Any, status: str = "SUCCESS", message: str | None = None, validation: Sequence[str] = ()) -> Json:
    """The one form of every answer."""
    shown = {} if data is None and status != "SUCCESS" else {"data": data}
    return {**shown, "status": status, "message": message, "validationMessages": list(validation)}


def validation_messages(error: ValidationError, body: type[BaseModel] | None = None) -> list[str]:
    """What is wrong in a body, key by key, without the values that were sent."""
    allowed = [info.alias or name for name, info in body.model_fields.items()] if body else []
    messages = []
    for problem in error.errors(include_url=False, include_context=True, include_input=False):
        key = ".".join(str(part) for part in problem["loc"])[:200] or "body"
        if problem["type"] == "extra_forbidden":
            text = f"is no key here. {nearest(str(problem['loc'][-1]), allowed)}".strip()
        elif problem["type"] == "wrong_key":
            where, what, advice = problem["ctx"]["text"].split("|", 2)
            key, text = where, f"{what}. {advice}"
        else:
            text = problem["msg"]
        messages.append(f"{key}: {text}")
    return messages[:50]


def found(value: Any, what: str) -> Any:
    """`value`, or 404 where there is none.

    Raises:
        NotFoundError: it is None.
    """
    if value is None:
        raise NotFoundError(f"There is no such {what}.")
    return value


def iso(moment: dt.datetime | None) -> str | None:
    """A time on the wire (OpenAPI `date-time`, RFC 3339), in UTC."""
    known = utc(moment)
    return None if known is None else known.isoformat(timespec="milliseconds").replace("+00:00", "Z")
