"""What is measured: scimops itself, with everything that it checks and finds.

`python -m bench.subject EXPORT RESULT [all]` writes the peers' four columns, or with `all` those of the assignments.
"""

import json
import sys

from scimops import preview_export, quick_setting, read_export

COLUMNS = ("row", "userName", "reason", "group_key")


def main(export: str, result: str, extent: str = "") -> None:
    preview = preview_export(read_export(export), quick_setting("department", "Everyone"))
    rows = preview.assignments
    (rows if extent == "all" else rows.select(COLUMNS)).write_parquet(result)
    groups = {group.group_key: group.members for group in preview.groups}
    json.dump({"reasons": preview.reasons, "groups": groups}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
