"""What can go wrong on the way from the list of employees to the platform: each kind as its real cause would leave it.

A fault changes everything that it touches: the accounts, the exports, the state of the platform and all logs.
`PLANTS` of :mod:`story` has every kind by name; `who` is a handle (:mod:`story_world`) or a group's name.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from scimops.samples.nasty import LONG
from scimops.samples.story_history import evening, forget, refuse, send_disable, there
from scimops.samples.story_world import AUDITED, CYCLE, OUTAGE, TODAY, Employee, Sent, World, cycle_after

_DAY = dt.timedelta(days=1)


def plant_left_renamed(world: World, who: str) -> None:
    """Left; the account was renamed at that moment, so the platform's person was looked for by the new name."""
    one = _still_there(world, who)
    before = {"user_name": one.person.user_name, "email": one.person.email}
    address = f"left-{one.person.user_name}"
    day = one.left or TODAY
    one.past.append((day, before))
    one.person = replace(one.person, user_name=address, email=address)
    world.sent.append(Sent(evening(day), one, "other", one.person, None, "skipped", 200, skip="NotFoundInTarget"))


def plant_left_refused(world: World, who: str) -> None:
    """Left, the account was switched off, and the platform answered the deactivation with an error each time."""
    one = _still_there(world, who)
    first, target = evening(one.left or TODAY), there(one)
    for pause in (dt.timedelta(0), CYCLE, 2 * CYCLE, _DAY, 3 * _DAY):
        if first + pause < AUDITED:
            world.sent.append(Sent(first + pause, one, "disable", one.person, target.id, "failure", 500,
                                   "500 Internal server error.", changes=[("active", True, False)]))  # fmt: skip


def plant_left_never_sent(world: World, who: str) -> None:
    """Left, the account was switched off, and no deactivation was ever sent."""
    _still_there(world, who)


def plant_left_account_active(world: World, who: str) -> None:
    """Left by the list of employees, and nobody switched the account off."""
    one = _still_there(world, who)
    one.past.clear()
    one.person = replace(one.person, active=True)


def plant_left_account_deleted(world: World, who: str) -> None:
    """Left, the account was deleted on the last day, and nothing was sent."""
    one = _still_there(world, who)
    one.removed = (one.left or TODAY) + _DAY


def _still_there(world: World, who: str) -> Employee:
    """A leaver of whom the platform heard nothing: active and in the group as before."""
    one = world.people[who]
    world.sent = [sent for sent in world.sent if sent.who is not one or sent.action != "disable"]
    target = there(one)
    target.active, target.group = True, one.group
    return one


def plant_disabled_still_active(world: World, who: str) -> None:
    """Employed; the account was switched off, and the platform was not told."""
    _switch_off(world.people[who], dt.date(2026, 11, 13))


def plant_employed_inactive(world: World, who: str) -> None:
    """Employed; the account was switched off, and so was the target user, as it should."""
    _switch_off(world.people[who], dt.date(2026, 11, 13))
    send_disable(world, world.people[who], evening(dt.date(2026, 11, 13)))


def _switch_off(one: Employee, day: dt.date) -> None:
    one.past.append((day, {"active": True}))
    one.person = replace(one.person, active=False)


def plant_not_in_idp(world: World, who: str) -> None:
    """Employed, and nobody ever made an account."""
    one = world.people[who]
    forget(world, one)
    one.has_account = False


def plant_two_accounts(world: World, who: str) -> None:
    """A second account of the same person, for administration, with the same e-mail address: refused as taken."""
    one = world.people[who]
    made = dt.datetime(2026, 10, 6, 9, 3, 10, tzinfo=dt.UTC)
    person = replace(
        one.person, key=one.person.key ^ 0xAD, user_name=f"adm-{one.person.user_name}", employee_number="", active=True
    )
    admin = Employee(f"{who} admin", person, made.date(), made, employed=False)
    world.people[admin.handle] = admin
    refuse(world, admin, 409, "Another person of this company has this e-mail address.")


def plant_bad_email(world: World, who: str) -> None:
    """The account has an e-mail address that is none."""
    one = _as(world, who, email=world.people[who].person.email.replace("@", "@@"))
    refuse(world, one, 400, "The e-mail address is not usable: one @, a domain, no spaces.")


def plant_no_email(world: World, who: str) -> None:
    """The account has no e-mail address, and the mapping sends nothing else for it."""
    one = _as(world, who, email="")
    refuse(
        world, one, 400, 'An e-mail address is required: have the identity provider send emails[type eq "work"].value.'
    )


def plant_value_too_long(world: World, who: str) -> None:
    """The department is longer than the platform takes."""
    one = _as(world, who, department="; ".join([LONG] * 3))
    refuse(world, one, 400, "department is longer than 256 characters; nothing is cut.")


def plant_domain_not_allowed(world: World, who: str) -> None:
    """The e-mail address is at a domain that the platform has not authorised."""
    address = world.people[who].person.email.partition("@")[0] + "@partner.example.net"
    one = _as(world, who, email=address)
    one.hr_email = address
    refuse(world, one, 400, "The e-mail domain partner.example.net is not authorised for this company.")


def plant_seats_full(world: World, who: str) -> None:
    """Joined when the licence had no seat left."""
    world.seats_are_full = True
    refuse(world, world.people[who], 403, "The licence has no free seat.")


def plant_taken(world: World, who: str) -> None:
    """Somebody who was deleted before, and is not shown any more, has the userName."""
    refuse(world, world.people[who], 409, "Another person of this company has this userName.")


def plant_server_error(world: World, who: str) -> None:
    """The platform fails whenever this person is sent."""
    refuse(world, world.people[who], 500, "Internal server error.")


def plant_idp_skipped(world: World, who: str) -> None:
    """The identity provider does not send the person: not assigned to the application."""
    one = world.people[who]
    forget(world, one)
    _skip(world, one, cycle_after(one.created), "NotEffectivelyEntitled")


def plant_never_sent(world: World, who: str) -> None:
    """There is an account, and no log has a word of it."""
    forget(world, world.people[who])


def plant_out_of_scope(world: World, who: str) -> None:
    """Employed with a guest's account, which the setting leaves out."""
    one = _as(world, who, user_type="Guest")
    forget(world, one)
    _skip(world, one, cycle_after(one.created), "NotInScope")


def plant_out_of_scope_there(world: World, who: str) -> None:
    """The account became a guest's on 12 November; the target user stayed active."""
    one, day = world.people[who], dt.date(2026, 11, 12)
    one.past.append((day, {"user_type": "Member"}))
    one.person = replace(one.person, user_type="Guest")
    _skip(world, one, evening(day), "NotInScope")


def _skip(world: World, one: Employee, at: dt.datetime, why: str) -> None:
    world.sent.append(Sent(at + dt.timedelta(seconds=25), one, "other", one.person, None, "skipped", skip=why))


def _as(world: World, who: str, **values: Any) -> Employee:
    """The account has had these values from its first day."""
    one = world.people[who]
    one.person = replace(one.person, **values)
    return one


def plant_token_expired(world: World, who: str) -> None:
    """Joined while the token had expired; refused for two days, and not tried again when there was a new one."""
    world.token_expired = True
    one = world.people[who]
    refuse(world, one, 401, "The token is not valid.", until=OUTAGE[1], on_wire=False)


def shut_out(world: World) -> None:
    """With an expired token nothing gets through for two days; what would have gone well is sent again afterwards."""
    world.note(OUTAGE[1], "Rotate", "ScimToken", world.new_id(), new={"name": "entra-2", "overlap_hours": 0})
    again = []
    for sent in world.sent:
        if OUTAGE[0] <= sent.at < OUTAGE[1] and sent.status is not None:
            if sent.outcome == "success":
                again.append(replace(sent, at=OUTAGE[1] + CYCLE))
            sent.outcome, sent.status, sent.detail, sent.skip, sent.move = (
                "failure", None, "401 The token is not valid.", "", None,
            )  # fmt: skip
    world.sent += again
