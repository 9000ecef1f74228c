"""The command explain, of the step audit_provisioning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimops.cli.common import JSON, print_json, print_rich, without_algebra

PERSON = Annotated[
    str, typer.Argument(help="userName, e-mail, externalId, id of the target user, FILE:ROW or row.", metavar="PERSON")
]
EXPORT = Annotated[Path, typer.Option(help="Today's export of the identity provider.", metavar="FILE")]
SETTING = Annotated[Path, typer.Option(help="The setting.", metavar="S.yaml")]
CONNECTION = Annotated[str | None, typer.Option(help="Connection to the platform.", metavar="NAME")]
STATE = Annotated[Path | None, typer.Option(help="A saved state, instead of a connection.", metavar="DIR")]
LOGS = Annotated[
    list[Path] | None,
    typer.Option(
        "--log",
        help="A log, of the identity provider or the platform, or a folder of them; may be said several times.",
        metavar="FILE",
    ),
]
PEOPLE = Annotated[Path | None, typer.Option(help="The list of employees; then it is asked about them.", metavar="HR")]


def explain(
    person: PERSON, export: EXPORT, setting: SETTING, connection: CONNECTION = None, state: STATE = None,
    log: LOGS = None, people: PEOPLE = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Tell one person's whole story, from the first day to today; all times in UTC.

    What each log says of them, how the rule places them, what the platform holds, the chain link by link; the last
    sentence says why they are, or are not, in that group and training today. 2: nobody is called so, or several are.
    """
    without_algebra()
    from scimops.audit.audit import audit
    from scimops.audit.explain import explain_person
    from scimops.audit.sources import read_sources
    from scimops.setting import load_setting

    chosen = load_setting(setting)
    sources = read_sources(
        export, chosen, setting.parent, connection=connection, state=state, logs=log or [], people=people
    )  # fmt: skip
    result = audit(sources.preview, sources.state, sources.logs, hr=sources.hr, found=sources.found)
    story = explain_person(result, sources, person)
    if as_json:
        print_json(story.to_dict())
        return
    from scimops.present.evidence_person import story_tables

    print_rich(story_tables(story))
