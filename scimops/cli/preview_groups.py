"""Commands of the step preview_groups: read, preview, compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import (
    BACKEND,
    DELIMITER,
    ENCODING,
    FILES,
    INCOMPLETE,
    JSON,
    OUT,
    SHAPE,
    complain,
    print_json,
    print_rich,
    without_algebra,
)  # fmt: skip
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.idp import Export
    from scimops.preview import Preview
    from scimops.setting import Setting

SETTING = Annotated[Path | None, typer.Option(help="The setting.", metavar="S.yaml")]
GROUP_BY = Annotated[
    str | None,
    typer.Option(
        help="department, a column of the export, idp-groups or none. Not given: department, where there is one."
    ),
]
TARGET = Annotated[str | None, typer.Option(help="Group for everyone, or for those without a value.", metavar="NAME")]
EXISTING = Annotated[
    Path | None, typer.Option(help="CSV or JSON of the platform's groups (column name).", metavar="FILE")
]
CHANNEL = Annotated[str, typer.Option(help="idp: people are sent one by one; apply: scimops sends all.")]
EXIT_CODE = Annotated[bool, typer.Option("--exit-code", help="Exit 3 where there are errors or warnings.")]
EXPLAIN = Annotated[
    str | None, typer.Option(help="One person step by step: userName, e-mail, externalId or row.", metavar="USER")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("read")(read)
    app.command("preview")(preview)
    app.command("compare")(compare)


def read(
    files: FILES, ndjson: Annotated[bool, typer.Option("--ndjson", help="Every user, one JSON object a line.")] = False,
    as_json: JSON = False, shape: SHAPE = None, encoding: ENCODING = None, delimiter: DELIMITER = None,
    allow_incomplete: INCOMPLETE = False,
) -> None:  # fmt: skip
    """Read an export and say what it is.

    Which column means what, and which rows cannot be read.
    """
    without_algebra()
    from scimops.idp import read_export

    export = read_export(
        *files, shape=shape, encoding=encoding, delimiter=delimiter, allow_incomplete=allow_incomplete
    )  # fmt: skip
    _mark(export)
    if ndjson:
        for record in export.records():
            sys.stdout.buffer.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
    elif as_json:
        print_json(export.describe())
    else:
        from scimops.present.tables import read_table

        print_rich(read_table(export))


def preview(
    files: FILES, setting: SETTING = None, group_by: GROUP_BY = None, target_group: TARGET = None,
    existing_groups: EXISTING = None, explain: EXPLAIN = None, channel: CHANNEL = "idp", out: OUT = None,
    as_json: JSON = False, exit_code: EXIT_CODE = False, shape: SHAPE = None, encoding: ENCODING = None,
    delimiter: DELIMITER = None, allow_incomplete: INCOMPLETE = False, backend: BACKEND = "polars",
) -> None:  # fmt: skip
    """Show where every person of an export will land.

    Who falls back, who is rejected and why, and what to do about it.
    """
    without_algebra()
    from scimops.idp import read_export
    from scimops.preview import UNKNOWN, preview_export, read_existing_groups

    chosen = _setting(setting, group_by, target_group)
    export = read_export(
        *files, shape=shape, encoding=encoding, delimiter=delimiter, allow_incomplete=allow_incomplete
    )  # fmt: skip
    _mark(export)
    existing = read_existing_groups(existing_groups) if existing_groups else UNKNOWN
    result = preview_export(
        export, chosen or _usual(export, target_group), existing=existing, channel=channel, backend=backend,
        folder=setting.parent if setting else ".",
    )  # fmt: skip
    _show(result, explain, as_json)
    if out is not None:
        from scimops.present.files import write_preview

        complain(f"Written to {out}: {', '.join(path.name for path in write_preview(result, out))}")
    if exit_code and any(finding.level in ("error", "warning") for finding in result.findings):
        raise typer.Exit(3)


def _show(result: Preview, person: str | None, as_json: bool) -> None:
    if person is not None:
        from scimops.preview.explain import explain

        explanations = explain(result, person)
        if as_json:
            print_json([explanation.to_dict() for explanation in explanations])
            return
        from scimops.present.tables import explain_text

        print_rich(*[explain_text(explanation) for explanation in explanations])
    elif as_json:
        print_json(result.to_dict())
    else:
        from scimops.present.tables import preview_tables

        print_rich(preview_tables(result))


def compare(
    files: Annotated[
        list[str], typer.Argument(help="One export, or an older and a newer one; or two plans.", metavar="FILE [FILE]")
    ],
    setting: Annotated[list[Path] | None, typer.Option(help="One setting, or two.", metavar="S.yaml")] = None,
    group_by: Annotated[list[str] | None, typer.Option(help="Instead of settings: one criterion, or two.")] = None,
    target_group: TARGET = None, existing_groups: EXISTING = None, channel: CHANNEL = "idp", as_json: JSON = False,
    exit_code: EXIT_CODE = False,
) -> None:  # fmt: skip
    """Show who moves between two settings or exports, or how two plans differ.

    Two settings on one export, two exports under one setting, or two sealed plans.
    """
    without_algebra()
    if _are_plans(files):
        _compare_plans(files, alone=not (setting or group_by or target_group or existing_groups), as_json=as_json,
                       exit_code=exit_code)  # fmt: skip
        return
    from scimops.idp import read_export
    from scimops.preview import UNKNOWN, preview_export, read_existing_groups
    from scimops.preview.compare import compare as compare_previews

    paths: list[Path | None] = [*setting] if setting else [None]
    words: list[str | None] = [*group_by] if group_by else [None]
    several = max(len(paths), len(words))
    if len(files) + several != 3:
        raise UsageError(
            "Compare one export under two settings, or two exports under one.", advice="See scimops compare --help."
        )
    exports = [read_export(name) for name in files]
    existing = read_existing_groups(existing_groups) if existing_groups else UNKNOWN
    sides = []
    for number in range(2):
        path, word = paths[min(number, len(paths) - 1)], words[min(number, len(words) - 1)]
        export = exports[min(number, len(exports) - 1)]
        chosen = _setting(path, word, target_group) or _usual(export, target_group)
        folder = path.parent if path else Path()
        sides.append(preview_export(export, chosen, existing=existing, channel=channel, folder=folder))
    comparison = compare_previews(*sides)
    if as_json:
        print_json(comparison.to_dict())
    else:
        from scimops.present.tables import compare_tables

        print_rich(compare_tables(comparison))
    if exit_code and (comparison.people.height or comparison.groups):
        raise typer.Exit(3)


def _are_plans(files: list[str]) -> bool:
    """Are these two plans?

    Raises:
        UsageError: one of several files is a plan, or a plan stands alone.
    """
    from scimops.plan.compare import is_plan

    plans = [name for name in files if is_plan(Path(name))]
    if plans and (len(plans), len(files)) != (2, 2):
        raise UsageError("A plan is compared with a plan.", where=plans[0], advice="Name two plans: the older first.")
    return len(plans) == 2


def _compare_plans(files: list[str], *, alone: bool, as_json: bool, exit_code: bool) -> None:
    from scimops.plan import load_plan
    from scimops.plan.compare import compare_plans

    if not alone:
        raise UsageError("A plan holds its own setting.", advice="Name the two plans and nothing else.")
    comparison = compare_plans(*(load_plan(Path(name)) for name in files))
    if as_json:
        print_json(comparison.to_dict())
    else:
        from scimops.present.plan_tables import compare_plans_tables

        print_rich(compare_plans_tables(comparison))
    if exit_code and not comparison.operations.is_empty():
        raise typer.Exit(3)


def _setting(path: Path | None, group_by: str | None, target_group: str | None) -> Setting | None:
    """The setting that the options mean; None where they say nothing of the criterion."""
    from scimops.setting import load_setting, quick_setting

    if path is not None and (group_by is not None or target_group is not None):
        raise UsageError("--setting already says the criterion and the target group.", advice="Give one or the other.")
    if path is not None:
        return load_setting(path)
    return quick_setting(group_by, target_group) if group_by is not None else None


def _usual(export: Export, target_group: str | None) -> Setting:
    """Without a word on the criterion: department, where the export has it."""
    from scimops.setting import quick_setting

    return quick_setting("department" if "department" in export.columns else "none", target_group)


def _mark(export: Export) -> None:
    if export.missing:
        complain(f"INCOMPLETE: {export.missing}. Good for looking only.")
