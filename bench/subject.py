"""What is measured: scimops itself, from the file to the written assignments, with all findings."""

import json
import sys

from scimops import preview_export, quick_setting, read_export


def main(export: str, result: str) -> None:
    preview = preview_export(read_export(export), quick_setting("department", "Everyone"))
    preview.assignments.write_parquet(result)
    groups = {group.group_key: group.members for group in preview.groups}
    json.dump({"reasons": preview.reasons, "groups": groups}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
