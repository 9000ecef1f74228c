"""What a preview panel is about, without any widget: the export, the choices, the preview they give, and undo.

Each method is one call, or a few, of scimops's public functions.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scimops.errors import SettingError
from scimops.idp import read_export
from scimops.mapping import keep_columns
from scimops.preview import UNKNOWN, ExistingGroups, Preview, preview_export, read_existing_groups
from scimops.preview.compare import Comparison, compare
from scimops.setting import Setting, load_setting, quick_setting, save_setting
from scimops.widgets.controls.choices import Choices, choices_of, merged, read_aliases, setting_of, written_aliases
from scimops.widgets.controls.facts import Facts, facts_of

if TYPE_CHECKING:
    from scimops.idp import Export

_TYPED = ({"target_group"}, {"aliases"}, {"allowed_domains"}, {"seats"})


class Session:
    """One export under one setting, and the choices that change it.

    `preview` is None until there is one. `choices` are the last that gave a preview; `before` is the preview before
    the last change.
    """

    def __init__(self, setting: str | Path | Setting | None, existing: str | Path | None, channel: str) -> None:
        self.document = Path(setting) if isinstance(setting, str | Path) and str(setting) else None
        self.base: Setting | None = setting if isinstance(setting, Setting) else None
        self.folder = self.document.parent if self.document else Path()
        self.channel = channel
        self.existing: ExistingGroups = UNKNOWN
        self._existing_path = existing or None
        self.files: list[Path] = []
        self.export: Export | None = None
        self.facts = Facts([], [], [])
        self.choices = Choices()
        self.saved: Choices | None = None
        self.preview: Preview | None = None
        self.before: Preview | None = None
        self._history: list[Choices] = []
        self._last_change: set[str] = set()
        self._home: tempfile.TemporaryDirectory[str] | None = None

    def read(self, files: Sequence[Path]) -> None:
        """Read other files; the choices stay, what could be undone goes.

        Raises:
            ScimopsError: the files cannot be read, or the setting cannot; nothing is changed then.
        """
        export = read_export(*files)
        base = self.base
        if base is None:
            base = load_setting(self.document) if self.document else usual_setting(export)
        if self._existing_path is not None and not self.existing.known:
            self.existing = read_existing_groups(self._existing_path)
        if self.base is None:
            self.choices = self.saved = choices_of(base)
        self.files, self.export, self.base = list(files), export, base
        self.preview = self.before = None
        self._history, self._last_change = [], set()
        try:
            self.facts = facts_of(export, base)
        except SettingError:  # the setting names a column that is not there; the preview will say so
            self.facts = facts_of(export, quick_setting())

    def start_over(self) -> None:
        """Leave the setting and begin with the usual one for this export."""
        assert self.export is not None
        self.base, self.document, self.folder = usual_setting(self.export), None, Path()
        self.choices, self.saved = choices_of(self.base), None
        self.facts = facts_of(self.export, self.base)

    def choose(self, choices: Choices) -> None:
        """Compute the preview under `choices`.

        Raises:
            ScimopsError: the choices are no setting, or the export does not fit them; the preview before stays.
        """
        assert self.export is not None
        assert self.base is not None
        if self.preview is not None and choices == self.choices:
            return
        changed = _changed(self.choices, choices)
        preview = self._previewed(setting_of(self.base, choices))
        if self.preview is not None:
            # Letter by letter is one change: undo and the comparison go back to before the first letter.
            if changed not in _TYPED or changed != self._last_change:
                self._history.append(self.choices)
                self.before = self.preview
            self._last_change = changed
        self.preview, self.choices = preview, choices

    def undo(self) -> None:
        """Take the last change back, where there is one."""
        if not self._history or self.base is None:
            return
        choices = self._history[-1]
        preview = self._previewed(setting_of(self.base, choices))
        self._history.pop()
        self.before, self.preview, self.choices, self._last_change = self.preview, preview, choices, set()

    @property
    def can_undo(self) -> bool:
        """Is there a change that can be taken back?"""
        return bool(self._history)

    def compared(self) -> Comparison | None:
        """The present preview beside the one before the last change."""
        return compare(self.before, self.preview) if self.before and self.preview else None

    def merge(self, keys: Sequence[str], into: str) -> Choices:
        """The choices with aliases that lead the groups `keys` into the group `into`.

        Raises:
            SettingError: there is no name, or nothing to merge.
        """
        assert self.preview is not None
        chosen = [group for group in self.preview.groups if group.group_key in keys]
        if not chosen:
            raise SettingError("No group is ticked.", advice="Tick the groups that are one, then merge them.")
        name = into.strip() or max(chosen, key=lambda group: group.members).name
        aliases = merged(read_aliases(self.choices.aliases), chosen, name)
        return replace(self.choices, aliases=written_aliases(aliases))

    def save(self, path: Path) -> None:
        """Write the setting to `path`; comments of the document there, else of the one it came from, are kept.

        Raises:
            SettingError: the document there cannot be read, or the setting names a file beside the old document.
        """
        assert self.base is not None
        setting = setting_of(self.base, self.choices)
        assigned = setting.scope.assigned
        if assigned and path.parent.resolve() != self.folder.resolve() and not (path.parent / assigned).exists():
            raise SettingError(
                f'The setting names "{assigned}", which is not beside {path}.',
                advice=f"Save it in {self.folder} instead.",
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.document and self.document.is_file() and not path.exists():
            path.write_bytes(self.document.read_bytes())
        # a guess that was looked at is kept with the setting; the panel goes on guessing for the next file
        guessed = self.export if self.export and self.export.idp == "generic" else None
        save_setting(keep_columns(setting, guessed) if guessed else setting, path)
        self.document, self.folder, self.base = path, path.parent, setting
        self.choices = self.saved = choices_of(setting)

    def written_setting(self) -> Path:
        """The document on disk that the next cells read; the usual setting's, where none was given or saved."""
        if self.document is None:
            assert self.base is not None
            path = self.private_folder() / "setting.yaml"
            save_setting(self.base, path)
            return path
        return self.document

    def write(self, folder: Path) -> list[Path]:
        """Write the preview's files into `folder`."""
        from scimops.present.files import write_preview

        assert self.preview is not None
        return list(write_preview(self.preview, folder))

    def packed(self, paths: Sequence[Path], folder: Path) -> Path:
        """The files `paths` of `folder`, and no others of it, as one zip in a private temporary folder."""
        pack = self.private_folder() / (folder.absolute().name or "preview")
        shutil.rmtree(pack, ignore_errors=True)
        for path in paths:
            copy = pack / path.relative_to(folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        return Path(shutil.make_archive(str(pack), "zip", pack))

    def private_folder(self) -> Path:
        """A temporary folder of this session that only its owner may enter."""
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="scimops-", ignore_cleanup_errors=True)
        return Path(self._home.name)

    def _previewed(self, setting: Setting) -> Preview:
        assert self.export is not None
        return preview_export(self.export, setting, existing=self.existing, channel=self.channel, folder=self.folder)


def usual_setting(export: Export) -> Setting:
    """Without a setting: people by department, where the export has it."""
    return quick_setting("department" if "department" in export.columns else "none")


def _changed(one: Choices, other: Choices) -> set[str]:
    return {field.name for field in fields(Choices) if getattr(one, field.name) != getattr(other, field.name)}
