"""`scimops notify`: look at who is told of runs, and send each of them a test. Also what `scimops run` tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.common import complain, visible
from scimops.config import notifications_file
from scimops.errors import ScimopsError, UsageError, nearest

if TYPE_CHECKING:
    from scimops.jobs.notifications import Notifications
    from scimops.jobs.notify import Ran

NOTIFY = Annotated[
    Path | None,
    typer.Option(help="Who is told of runs; SCIMOPS_NOTIFICATIONS names a default.", metavar="FILE", dir_okay=False),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who is told of runs: check, test.")
    group.command("check")(check)
    group.command("test")(send_test)
    app.add_typer(group, name="notify")


def check(notify: NOTIFY = None) -> None:
    """Look whether the document is right, and whether each URL can be fetched; nothing is sent."""
    from scimops.credentials import resolve

    document, bad = _document(notify), 0
    for route in document.routes:
        try:
            resolve(route.to)
            said = f"{', '.join(route.on)}; companies {', '.join(route.companies)}"
        except ScimopsError as error:
            said, bad = f"wrong: {error}", bad + 1
        typer.echo(visible(f"{route.name}: {said}"))
    if bad:
        raise typer.Exit(1)


def send_test(
    notify: NOTIFY = None,
    route: Annotated[str | None, typer.Option(help="Only this route.", metavar="NAME")] = None,
) -> None:
    """Send a test message on each route, and say how it went."""
    from scimops.jobs.notifications import Message
    from scimops.jobs.notify import send

    routes = [each for each in _document(notify).routes if route in (None, each.name)]
    if not routes:
        names = [each.name for each in _document(notify).routes]
        advice = nearest(route or "", names) or f"There is: {', '.join(names)}."
        raise UsageError(f'There is no route "{route}".', advice=advice)
    message = Message("scimops: a test", ("This is a test. Runs that need somebody will be told here.",))
    told = send([(each, message) for each in routes])
    for each in told:
        typer.echo(visible(f"{each.route}: {'not sent: ' + each.problem if each.problem else 'sent'}"))
    if any(each.problem for each in told):
        raise typer.Exit(1)


def routes_of(notify: Path | None) -> Notifications | None:
    """The document of `--notify` or of the environment; None where there is none.

    Raises:
        SettingError: something in it is wrong.
    """
    from scimops.jobs.notifications import load_notifications

    path = notify or notifications_file()
    return load_notifications(path) if path else None


def tell_of(
    notifications: Notifications | None, ran: Sequence[Ran],
    on_event: Callable[[dict[str, Any]], None] = lambda _: None,
) -> None:  # fmt: skip
    """Tell of runs whose records are written; what does not work is said, and changes nothing of the runs."""
    if notifications is None:
        return
    from scimops.jobs.notify import notify

    for each in notify(notifications, ran, complain):
        on_event(each.to_dict())
        if each.problem:
            complain(f'The route "{each.route}" was not told: {each.problem.rstrip(".")}.')


def _document(notify: Path | None) -> Notifications:
    document = routes_of(notify)
    if document is None:
        raise UsageError("No document says who is told.", advice="Give --notify FILE, or set SCIMOPS_NOTIFICATIONS.")
    return document
