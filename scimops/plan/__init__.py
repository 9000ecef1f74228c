"""The plan: preview minus snapshot, judged by safeguards, sealed by a digest.

:func:`make_plan` is the arrow. The rooms: `matching` who is whom, `differences` what differs, `places` who is in which
group, `safeguards` what is withheld, `seats` who has none, `history` what earlier applies took away, `grace` who is
missing since when, `masters` who else pushes, `renames` the order, `document` the plan on disk.
"""

from __future__ import annotations

from scimops.plan.document import Plan, StalePlanError, load_plan
from scimops.plan.make import make_plan

__all__ = ["Plan", "StalePlanError", "load_plan", "make_plan"]
