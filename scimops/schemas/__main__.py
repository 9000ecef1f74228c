"""`python -m scimops.schemas` writes the JSON Schema files anew."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from scimops import frames
from scimops.schemas import FOLDER
from scimops.schemas.audit_outputs import AUDIT_OUTPUTS
from scimops.schemas.outputs import OUTPUTS
from scimops.schemas.plan_outputs import PLAN_OUTPUTS

_TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "int64": {"type": "integer"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "list[string]": {"type": "array", "items": {"type": "string"}},
}


def users() -> dict[str, Any]:
    """The schema of one line of `scimops read --ndjson`, from the frame schema `users`."""
    properties: dict[str, Any] = {}
    for column in frames.USERS.columns:
        kind = _TYPES[column.type] | {"description": column.meaning}
        properties[column.name] = {"anyOf": [kind, {"type": "null"}]} if column.nullable else kind
    custom = {"type": "object", "description": "all further columns of the export, by header"}
    return {
        "title": "User",
        "description": "One line of `scimops read --ndjson`.",
        "type": "object",
        "properties": properties | {"custom": custom},
        "required": [*properties, "custom"],
        "additionalProperties": False,
    }


def schemas() -> dict[str, dict[str, Any]]:
    """All schemas by name."""
    kinds = (OUTPUTS | PLAN_OUTPUTS | AUDIT_OUTPUTS).items()
    made = {name: TypeAdapter(kind).json_schema() for name, kind in kinds} | {"users": users()}
    return {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema} for name, schema in made.items()
    }


def main() -> None:
    """Write the files."""
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (FOLDER / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
