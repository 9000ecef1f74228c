"""Apply: what a sealed plan says is done, step by step, with receipts of what really happened.

:func:`apply` is the arrow. Killed anywhere and begun again in the same folder, it goes on and does no step twice.

The rooms: `run` what is refused and what is allowed, `work` one apply on its way, `steps` and `groups` one step,
`resources` fields as SCIM, `journal` what is on disk before each step, `receipts` what was done, `check` is it so,
`simulated` the service provider of a dry run.
"""

from __future__ import annotations

from scimops.apply.receipts import Receipt, Receipts, load_receipts
from scimops.apply.run import Approval, apply
from scimops.apply.work import Progress

__all__ = ["Approval", "Progress", "Receipt", "Receipts", "apply", "load_receipts"]
