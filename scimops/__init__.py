"""scimops: know where every person will land before provisioning is switched on.

The rooms, in the order in which data flows::

    idp       read_export(): an identity provider's file as an Export
    setting   load_setting(): the SCIM setting that people review and version
    mapping   attribute paths to fields
    grouping  THE grouping rule
    preview   preview_export(): everybody's group and the reason, with findings; compare(), explain()
    client    a service provider over SCIM: what it holds, read whole or not at all, and changes one at a time
    platform  the same platform's management API: settings, groups, people, enrolments
    plan      make_plan(): preview minus snapshot, judged by safeguards, sealed; its inverse
    apply     apply(): what a sealed plan says, step by step, with receipts
    present   tables, charts, files
    widgets   panels for notebooks
    jobs      notebooks as jobs: audited, for many companies, told of; schedules writes them down for schedulers
    service_provider  the embedded platform: SCIM on SQLite or PostgreSQL, placing people by the same rule
    samples   synthetic people
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scimops.errors import Finding, ScimopsError
    from scimops.grouping import group_key
    from scimops.idp import Export, read_export
    from scimops.preview import Preview, preview_export, read_existing_groups
    from scimops.preview.compare import Comparison, compare
    from scimops.preview.explain import Explanation, explain
    from scimops.samples import write_sample
    from scimops.setting import Setting, load_setting, quick_setting, save_setting

__version__ = "0.1.0"

_HOMES = {
    "Finding": "errors", "ScimopsError": "errors",
    "group_key": "grouping",
    "Export": "idp", "read_export": "idp",
    "Preview": "preview", "preview_export": "preview", "read_existing_groups": "preview",
    "Comparison": "preview.compare", "compare": "preview.compare",
    "Explanation": "preview.explain", "explain": "preview.explain",
    "write_sample": "samples",
    "Setting": "setting", "load_setting": "setting", "quick_setting": "setting", "save_setting": "setting",
}  # fmt: skip

__all__ = [
    "Comparison", "Explanation", "Export", "Finding", "Preview", "ScimopsError", "Setting", "compare", "explain",
    "group_key", "load_setting", "preview_export", "quick_setting", "read_existing_groups", "read_export",
    "save_setting", "write_sample",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load a name's home when it is first asked for, so that `import scimops` stays light."""
    if name in _HOMES:
        return getattr(import_module(f"scimops.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'scimops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
