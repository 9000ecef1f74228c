"""The panel of the step preview_groups: drop an export, see where everybody lands, change the setting, see it again.

A panel has no logic of its own. What it does is in :class:`~scimops.widgets.controls.session.Session`, which calls the
same functions as `scimops preview`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scimops.errors import UsageError
from scimops.widgets import interactive
from scimops.widgets.controls.markup import tag
from scimops.widgets.controls.session import Session

if TYPE_CHECKING:
    from scimops.preview import Preview
    from scimops.setting import Setting

__all__ = ["PreviewGroupsPanel", "preview_groups"]


def preview_groups(
    export: str | Path | None = None,
    setting: str | Path | Setting | None = None,
    folder: str | Path | None = None,
    *,
    existing: str | Path | None = None,
    channel: str = "idp",
) -> PreviewGroupsPanel:
    """The panel in which a person sees where everybody lands, and changes the setting until it is right.

    In a job (papermill) nobody looks: then the same call computes once, and shows a summary. Either way the next cells
    read `panel.files` and `panel.setting_path`.

    Args:
        export: the export to begin with; another one can be dropped on the panel.
        setting: the setting to begin with; not given: people by department.
        folder: where the setting and the files are written unless the person says otherwise.
        existing: CSV or JSON of the groups that the platform has.
        channel: `idp` (people are sent one by one) or `apply` (scimops sends all).

    Raises:
        ScimopsError: in a job, a file cannot be read or does not fit. The panel shows that instead.
    """
    return PreviewGroupsPanel(export, setting, folder, existing=existing, channel=channel)


class PreviewGroupsPanel:
    """What :func:`preview_groups` gives. Shown as the last value of a cell, or by `display(panel)`.

    `widget` is the panel's widget, None in a job.
    """

    def __init__(
        self,
        export: str | Path | None = None,
        setting: str | Path | Setting | None = None,
        folder: str | Path | None = None,
        *,
        existing: str | Path | None = None,
        channel: str = "idp",
    ) -> None:
        self._session = Session(setting, existing, channel)
        self._shown: Any = None
        if interactive():
            from scimops.widgets.controls.board import Board

            self._shown = Board(self._session, Path(folder) if folder else None, str(export or ""))
        elif export:
            self._session.read([Path(export)])
            self._session.choose(self._session.choices)

    @property
    def widget(self) -> Any:
        """The panel as one ipywidget; None in a job."""
        return self._shown.box if self._shown else None

    @property
    def preview(self) -> Preview | None:
        """What the panel shows now; None where no export was read yet."""
        return self._session.preview

    @property
    def files(self) -> list[str]:
        """The export's files: the ones given, or the ones dropped.

        Raises:
            UsageError: no export was read yet.
        """
        self.wait()
        if not self._session.files:
            raise UsageError("No export was read yet.", advice="Drop one on the panel, then run this cell again.")
        return [str(path) for path in self._session.files]

    @property
    def setting_path(self) -> str:
        """The setting's document on disk: where it was saved last, else the one given, else the usual setting's.

        Raises:
            UsageError: no export was read yet.
        """
        return str(self._session.written_setting()) if self.files else ""

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until the panel has computed all changes; False where that takes longer."""
        return bool(self._shown.worker.wait(seconds)) if self._shown else True

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self._shown is not None:
            display(self._shown.box)  # type: ignore[no-untyped-call]  # IPython ships no types for it
        else:
            plain, html = self._summary()
            display({"text/plain": plain, "text/html": html}, raw=True)  # type: ignore[no-untyped-call]

    def _summary(self) -> tuple[str, str]:
        """What stands in the notebook of a job in place of the panel: what was computed, and the numbers."""
        from scimops.present.words import four_numbers, listed
        from scimops.widgets.controls.numbers import everybody

        preview = self.preview
        if preview is None:
            words = "No export was given."
            return words, tag("p", words)
        counts = ", ".join(f"{count:,} {name}" for count, name, _ in four_numbers(preview))
        what = f"{listed(preview.export.files, 3)} under the setting “{preview.setting.name}”"
        style = (Path(__file__).parent / "controls" / "screen.css").read_text(encoding="utf-8")
        inner = tag("div", tag("p", what, ": ", tag("b", counts), "."), everybody(preview), class_="scimops-screen")
        return f"{what}: {counts}.", f"<style>{style}</style>{inner}"
