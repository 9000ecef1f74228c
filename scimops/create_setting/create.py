"""Create a setting on a platform from its document, once; rename, renew the token, delete.

The record beside the document is written before the platform is asked and after it answered, so that a connection cut
in between makes no second setting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from scimops.create_setting.body import Ids, body_of
from scimops.create_setting.look import Look, find_again
from scimops.create_setting.record import Created, digest_of, read_record, write_record
from scimops.errors import ScimopsError, UsageError
from scimops.http.faults import UncertainError
from scimops.setting import Setting
from scimops.tokens import Secret

if TYPE_CHECKING:
    from scimops.platform import Platform

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """The setting as the record has it, and its token: None where the setting was there before."""

    created: Created
    token: Secret | None


def create(
    platform: Platform, document: Path, setting: Setting, look: Look, *, connection: str, tell: Tell = lambda _: None
) -> Outcome:
    """Create what is missing, then the setting; asked twice, it makes no second one.

    Args:
        platform: the platform that was looked at.
        document: the setting's YAML; its record is written beside it.
        setting: what the document says.
        look: from :func:`scimops.create_setting.look.look`, a moment ago.
        connection: name of the connection, the record's key.
        tell: is told each step, a sentence each.

    Raises:
        UsageError: the look found something that forbids it.
        ScimopsError: the platform refused, or cannot be reached; the same call goes on where this one ended.
    """
    if look.existing:
        return Outcome(look.existing, None)
    if look.refused:
        wrong = next(finding for finding in look.findings if finding.level == "error")
        raise UsageError(wrong.message, advice=wrong.advice)
    ids = _with_what_was_missing(platform, setting, look, tell)
    before = read_record(document).connections.get(connection)
    company = platform.company()
    begun = Created(
        company_id=company.id, company_name=company.name, name=setting.name, custom_fields=dict(ids.custom_fields),
        target_group_id=ids.target_group, digest=digest_of(setting), begun=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    again = find_again(platform, setting, before)
    _keep(document, connection, begun)
    body = body_of(setting, ids, own=platform.capabilities().own)
    setting_id, token = _renewed(platform, again, tell) if again else _created(platform, setting, begun, body, tell)
    whole = begun.model_copy(
        update={"setting_id": setting_id, "url": platform.scim_url(), "created": dt.datetime.now(dt.UTC)}
    )
    _keep(document, connection, whole)
    return Outcome(whole, token)


def _with_what_was_missing(platform: Platform, setting: Setting, look: Look, tell: Tell) -> Ids:
    """The ids that were found, and those of the custom fields and the target group that are made now."""
    made, target = dict(look.ids.custom_fields), look.ids.target_group
    for name in look.fields_to_make:
        made[name] = platform.create_custom_field(name)
        tell(f'Custom field "{name}" was made.')
    if look.make_target_group:
        name = str(setting.group_settings.target_group)
        target = platform.create_target_group(name)
        tell(f'Target group "{name}" was made.')
    return replace(look.ids, custom_fields=made, target_group=target)


def _created(
    platform: Platform, setting: Setting, begun: Created, body: dict[str, Any], tell: Tell
) -> tuple[str, Secret]:  # fmt: skip
    try:
        token = platform.create_setting(body)
    except UncertainError:
        tell("The answer did not come; looking whether the setting was made.")
        found = find_again(platform, setting, begun)
        if found is None:
            raise
        return _renewed(platform, found, tell)
    found = find_again(platform, setting, begun)
    if found is None:
        raise ScimopsError(
            "The platform made the setting, but does not list it as the document says.",
            advice="Look at its list of SCIM settings; delete it there if it is wrong.",
        )
    tell(f'Setting "{setting.name}" was created.')
    return found, token


def _renewed(platform: Platform, setting_id: str, tell: Tell) -> tuple[str, Secret]:
    token = platform.revoke(setting_id)
    tell("The setting was there; its token was renewed.")
    return setting_id, token


def token_taken(
    document: Path, connection: str, how: Literal["copied", "stored"], reference: str | None = None
) -> None:  # fmt: skip
    """Write into the record that the token is in somebody's hands, and where it was stored."""
    _keep(document, connection, the_created(document, connection).model_copy(
        update={"token": how, "token_reference": reference}
    ))  # fmt: skip


def renew_token(platform: Platform, document: Path, connection: str) -> Secret:
    """A new token for the setting; the one in the identity provider ends at once.

    Raises:
        UsageError: nothing was created from this document on this connection.
    """
    created = the_created(document, connection)
    token = platform.revoke(str(created.setting_id))
    _keep(document, connection, created.model_copy(update={"token": "not taken", "token_reference": None}))
    return token


def rename(platform: Platform, document: Path, connection: str, name: str) -> None:
    """Rename the setting on the platform, in its record; nothing else of it can be changed there.

    Raises:
        UsageError: nothing was created from this document on this connection.
    """
    created = the_created(document, connection)
    platform.rename(str(created.setting_id), name)
    _keep(document, connection, created.model_copy(update={"name": name}))


def delete(platform: Platform, document: Path, connection: str) -> None:
    """Delete the setting on the platform, and its entry in the record.

    Raises:
        UsageError: nothing was created from this document on this connection.
    """
    platform.delete(str(the_created(document, connection).setting_id))
    record = read_record(document)
    del record.connections[connection]
    write_record(document, record)


def the_created(document: Path, connection: str) -> Created:
    """What was created from this document on this connection.

    Raises:
        UsageError: nothing was.
    """
    created = read_record(document).connections.get(connection)
    if created is None or created.setting_id is None:
        raise UsageError(
            f'Nothing was created from this document on "{connection}".', where=str(document),
            advice="scimops setting create makes it; scimops setting list shows what is there.",
        )  # fmt: skip
    return created


def _keep(document: Path, connection: str, created: Created) -> None:
    record = read_record(document)
    record.connections[connection] = created
    write_record(document, record)
