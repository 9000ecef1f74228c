"""The command line: thin, one module a step. Tables for people, `--json` for programs, messages on standard error."""

from __future__ import annotations

import os
import sys

import typer

from scimops.cli import (
    audit_provisioning,
    create_setting,
    notify,
    plan_and_apply,
    preview_groups,
    review_runs,
    schedule,
    serve,
    start_here,
)
from scimops.cli.common import complain
from scimops.errors import ScimopsError

app = typer.Typer(
    name="scimops",
    help="Know where every person will land before SCIM provisioning is switched on; prove afterwards that they did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help in plain text comes three times as fast
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong usage, 3 changes or findings (with --exit-code, --fail-on), "
    "4 withheld, 5 stale plan or incomplete source, 130 cancelled.",
)
for step in (
    start_here, create_setting, preview_groups, plan_and_apply, audit_provisioning, review_runs, schedule, notify,
    serve,
):  # fmt: skip
    step.register(app)


def main() -> None:
    """Run the command line; every failure is one message that helps, never a bare traceback."""
    try:
        app()
    except ScimopsError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        complain("Cancelled.")
        sys.exit(130)
    except BrokenPipeError:
        # Who reads has gone, as in `scimops read … | head`: no complaint, and none from Python at its end either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("SCIMOPS_DEBUG"):
            raise
        if isinstance(error, OSError) and error.filename:  # of a file that the user named, or one beside it
            complain(f"{error.filename2 or error.filename}: {error.strerror}. Name another file or folder.")
            sys.exit(1)
        complain(f"This is a fault of scimops: {type(error).__name__}: {error}")
        complain("Please report it. With SCIMOPS_DEBUG=1 the same command shows where it happened.")
        sys.exit(1)
