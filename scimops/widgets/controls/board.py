"""The panel's widgets and what happens when a person uses them. What they mean is in :mod:`session`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets

from scimops.errors import ScimopsError
from scimops.samples import write_sample
from scimops.widgets.controls.drop_zone import DropZone
from scimops.widgets.controls.form import ChoicesForm
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.numbers import advice, everybody, numbers, problem, told
from scimops.widgets.controls.parts import button, frame, heading, row, saved, written
from scimops.widgets.controls.results import Results
from scimops.widgets.controls.screen import Screen
from scimops.widgets.controls.session import Session
from scimops.widgets.controls.views import moved_words
from scimops.widgets.controls.worker import Worker

_ACCEPT = ".csv,.tsv,.txt,.json,.ndjson,.jsonl,.xlsx,.gz"
_HINT = "The user export of your identity provider: CSV, Excel or JSON. It stays on this computer."
_SAMPLE_SETTING = "sample_data"
_LOG = logging.getLogger("scimops.widgets")


class Board:
    """The widgets of a panel, in `box`. All that changes happens on `worker`, one thing after the other."""

    def __init__(self, session: Session, folder: Path | None, first: str) -> None:
        self.session = session
        self.worker = Worker(self._fault)
        self.drop_zone = DropZone(
            self._dropped, label="Drop an export here, or choose a file", hint=_HINT, accept=_ACCEPT
        )
        self.path = ipywidgets.Text(
            description="or its path", value=first, placeholder="folder/exportUsers.csv", continuous_update=False
        )
        self.path.observe(lambda _: self._read_path(), "value")
        self.read_button = button("Read", self._read_path)
        self.sample_button = button("Use sample data", self._read_sample)
        self.top = Screen(frame("status", "problem", "file", "numbers", "advice"), self._action)
        self.form = ChoicesForm(self._changed)
        self.undo_button = button("Undo", self._undo)
        self.results = Results(self.worker, lambda: session.preview, self._merge)
        self.setting_path = ipywidgets.Text(description="Setting", value=str(_setting_home(session, folder)))
        self.save_button = button("Save the setting", self._save)
        self.folder = ipywidgets.Text(description="Folder", value=str(folder or "preview"))
        self.write_button = button("Write the files", self._write)
        self.foot = Screen(frame("saved", "written"), self._action)
        self._packed: Path | None = None
        self.box = self._laid_out()
        if first:
            self._read_path()
        else:
            self.top.show(status=tag("p", "Drop an export to see where everybody will land."))

    def _laid_out(self) -> Any:
        path = row("scimops-path", self.path, self.read_button, self.sample_button)
        source = ipywidgets.VBox([self.drop_zone, path])
        source.add_class("scimops-source")
        head = row("scimops-form-head", heading("What decides the group"), self.undo_button)
        left = ipywidgets.VBox([head, self.form.box])
        left.add_class("scimops-left")
        body = row("scimops-body", left, self.results.screen)
        foot = row(
            "scimops-foot",
            row("scimops-path", self.setting_path, self.save_button),
            row("scimops-path", self.folder, self.write_button),
        )
        self._below = [body, foot, self.foot]
        for part in self._below:
            part.layout.display = "none"
        box = ipywidgets.VBox([source, self.top, *self._below])
        box.add_class("scimops-panel")
        return box

    # What a person does

    def _dropped(self, paths: list[Path]) -> None:
        self._read(paths)

    def _read_path(self) -> None:
        if self.path.value.strip():
            self.drop_zone.say("")
            self._read([Path(self.path.value.strip())])

    def _read_sample(self) -> None:
        self.drop_zone.say("")
        path = self.session.private_folder() / "sample" / "exportUsers.csv"
        self._read([write_sample(path, "entra_download_users")])

    def _changed(self, wait: float) -> None:
        self._say("Computing…")
        self.worker.later(self._compute, "compute", wait)

    def _undo(self) -> None:
        self._say("Computing…")
        self.worker.later(self._take_back, "compute")

    def _save(self) -> None:
        self.worker.later(self._save_now, "save")

    def _write(self) -> None:
        self._say("Writing…")
        self.worker.later(self._write_now, "write")

    def _merge(self, keys: list[str], into: str) -> None:
        self._say("Computing…")
        self.worker.later(lambda: self._merge_now(keys, into))

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        if name == "view":
            self.results.view(values["value"][0])
        elif name == "fresh":
            self._say("Computing…")
            self.worker.later(self._start_over)
        elif name == "download" and self._packed is not None:
            self.foot.offer(self._packed)

    # What then happens, on the worker

    def _read(self, paths: list[Path]) -> None:
        self._say(f"Reading {', '.join(path.name for path in paths)}…")
        self.worker.later(lambda: self._read_now(paths), "read")

    def _read_now(self, paths: list[Path]) -> None:
        with self._problems():
            self.session.read(paths)
            self.drop_zone.keep_only(paths)
            self.form.offer(self.session.facts, self.session.choices)
            self._computed(lambda: self.session.choose(self.session.choices))

    def _compute(self) -> None:
        with self._problems():
            self._computed(lambda: self.session.choose(self.form.value))

    def _take_back(self) -> None:
        with self._problems():
            # Where the last choice was none that could be computed, undo leads back to the one before it.
            if self.form.value == self.session.choices:
                self._computed(self.session.undo)
            else:
                self._computed(lambda: None)
            self.form.show(self.session.choices)

    def _merge_now(self, keys: list[str], into: str) -> None:
        with self._problems():
            choices = self.session.merge(keys, into)
            self._computed(lambda: self.session.choose(choices))
            self.form.show(choices)

    def _start_over(self) -> None:
        with self._problems():
            self.session.start_over()
            self.form.offer(self.session.facts, self.session.choices)
            self._computed(lambda: self.session.choose(self.session.choices))

    def _save_now(self) -> None:
        with self._problems("saved"):
            path = Path(self.setting_path.value.strip() or "setting.yaml")
            self.session.choose(self.form.value)  # what was typed a moment ago counts
            self.session.save(path)
            self._show()
            self.form.offer(self.session.facts, self.session.choices)
            self.foot.show(saved=saved(path))

    def _write_now(self) -> None:
        with self._problems("written"):
            folder = Path(self.folder.value.strip() or "preview")
            self.session.choose(self.form.value)
            paths = self.session.write(folder)
            self._packed = self.session.packed(paths, folder)
            self._show()
            self.foot.show(written=written(folder, paths, self._packed))
        self._say_when_done()

    # What is shown

    def _computed(self, change: Callable[[], None]) -> None:
        """Show what is there after `change`, whether it went well or not."""
        try:
            change()
        finally:
            self._show()

    def _show(self) -> None:
        session, preview = self.session, self.session.preview
        for part in self._below:
            part.layout.display = None if session.export else "none"
        self.undo_button.disabled = not session.can_undo
        if preview is None:
            self.top.show(numbers=Markup(), advice=Markup(), file=Markup())
            self.results.clear()
            return
        export = preview.export
        file = tag("p", tag("b", ", ".join(export.files)), f": {export.shape.title}")
        self.top.show(numbers=numbers(preview), advice=advice(preview), file=file, problem=Markup())
        self.results.show(everybody(preview))
        self._say_when_done()
        words = "Not saved yet: the cells below still read the setting as it was."
        unsaved = tag("p", words, class_="scimops-unsaved") if session.saved != session.choices else Markup()
        self.foot.show(saved=unsaved, written=Markup())
        # At 100,000 people comparing takes as long as computing: quick changes one after the other need only the last.
        self.worker.later(self._show_changes, "changes", 0.15)

    def _show_changes(self) -> None:
        comparison = self.session.compared()
        self.results.show_changes(comparison)
        self._say_when_done(f" {moved_words(comparison)}" if comparison else "")

    def _say(self, words: str) -> None:
        self.top.show(status=tag("p", tag("span", class_="scimops-busy", aria_hidden="true"), words))

    def _say_when_done(self, more: str = "") -> None:
        preview = self.session.preview
        if preview is not None:
            self.top.show(status=tag("p", f"Computed in {preview.seconds:.2f} s.{more}"))

    @contextmanager
    def _problems(self, region: str = "problem") -> Iterator[None]:
        """Show what goes wrong, with what to do, in place of a traceback."""
        try:
            yield
        except (ScimopsError, OSError) as error:
            self._complain(region, *told(error))

    def _fault(self, fault: Exception) -> None:
        """Tell of a fault of scimops itself; what it says may hold a person's data, so only its kind is logged."""
        _LOG.error("a panel's task failed: %s", type(fault).__name__)
        self._complain(
            "problem",
            f"scimops made a mistake ({type(fault).__name__}: {fault}).",
            "Please report it. The panel can be used on.",
        )

    def _complain(self, region: str, message: str, what: str, where: str = "") -> None:
        at_top, shown = region == "problem", self.session.preview
        if at_top and shown is not None:
            what = f"{what} What is shown is from before that."
        stuck = at_top and shown is None and self.session.export is not None
        screen = self.top if at_top else self.foot
        screen.show(**{region: problem(message, what, where, can_start_over=stuck)})
        self.undo_button.disabled = not self.session.can_undo and self.form.value == self.session.choices
        self._say_when_done()
        if shown is None:
            self.top.show(status=Markup())


def _setting_home(session: Session, folder: Path | None) -> Path:
    """Where the setting is saved unless the person says otherwise: never over the samples."""
    if folder is not None:
        return folder / "setting.yaml"
    if session.document is not None and session.document.parent.name != _SAMPLE_SETTING:
        return session.document
    return Path("my_setting.yaml")
