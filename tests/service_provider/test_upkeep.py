"""Backup, erasure, retention and the commands for what others do: on a platform at work, on both databases."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from managing import MadeSetting, Platform
from typer.testing import CliRunner

from scimops.attributes import ENTERPRISE
from scimops.cli import app
from scimops.errors import UsageError
from scimops.service_provider import retention
from scimops.service_provider.backup import BackupError, back_up
from scimops.service_provider.database import Database, open_database
from scimops.service_provider.directory import NotFoundError
from scimops.service_provider.erasure import Erased, erase_person, scrub
from scimops.service_provider.management.fixtures import add_enrolment
from scimops.service_provider.migrations import migrate
from scimops.service_provider.retention import Keep, claim, prune
from scimops.service_provider.serve import prepare
from scimops.service_provider.tables import (
    audit_log,
    enrolled,
    enrolments,
    groups,
    memberships,
    metadata,
    provisioning_log,
    server,
    users,
)  # fmt: skip
from scimops.setting import quick_setting

ANNA = "anna.lee@example.com"
OF_ANNA = ("anna.lee", "Annabel", "+1 555 0199", "x-anna")
DAY = dt.timedelta(days=1)


def wait_for_lines(database: Database, count: int) -> None:
    """Lines of look-ups come a little later."""
    for _ in range(100):
        with database.read() as connection:
            if (connection.scalar(sa.select(sa.func.count()).select_from(provisioning_log)) or 0) >= count:
                return
        threading.Event().wait(0.05)
    raise AssertionError("the lines did not come")


def everything(database: Database) -> str:
    """All rows of all tables as one text."""
    with database.read() as connection:
        return "\n".join(str(tuple(row)) for t in metadata.sorted_tables for row in connection.execute(sa.select(t)))


def one(database: Database, query: Any) -> Any:
    with database.read() as connection:
        return connection.scalar(query)


def lines(database: Database) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(sa.select(provisioning_log).order_by(provisioning_log.c.n)))


@pytest.fixture
def full(platform: Platform, setting_factory: Callable[..., MadeSetting]) -> tuple[MadeSetting, str, str]:
    """Anna with a past, and Bob whose manager she is; the setting and their ids."""
    made = setting_factory()
    phone = {"phoneNumbers": [{"value": "+1 555 0199", "type": "work"}], "displayName": "Annabel Lee"}
    anna = platform.push(made.token, "anna.maiden@example.com", "Sales", externalId="x-anna-7", **phone)
    manager = {"value": anna, "displayName": "Annabel Lee"}
    bob = platform.push(
        made.token, "bob@example.com", "Sales", **{ENTERPRISE: {"department": "Sales", "manager": manager}}
    )
    schema = "urn:ietf:params:scim:api:messages:2.0:"
    changes = [
        {"op": "replace", "path": "userName", "value": ANNA},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": ANNA},
        {"op": "replace", "path": "name.givenName", "value": "Annabel"},
    ]
    patch = {"schemas": [f"{schema}PatchOp"], "Operations": changes}
    assert platform.scim(made.token, "PATCH", f"/Users/{anna}", patch).is_success
    again = {
        "schemas": [f"{schema}PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": "Annabel"}],
    }
    bulk = {
        "schemas": [f"{schema}BulkRequest"],
        "Operations": [
            {"method": "PATCH", "path": f"/Users/{anna}", "data": again},
            {"method": "POST", "path": "/Users", "bulkId": "c", "data": {
                "userName": "carl@example.com", "emails": [{"value": "carl@example.com", "type": "work"}],
            }},
        ],
    }  # fmt: skip
    assert platform.scim(made.token, "POST", "/Bulk", bulk).status_code == 200
    for asked in (f'userName eq "{ANNA.upper()}"', 'externalId eq "x-anna-7"', 'userName eq "bob@example.com"'):
        found = platform.http.get("/scim/v2/Users", params={"filter": asked}, headers=made.headers)
        assert found.json()["totalResults"] == 1
    member = {
        "schemas": [f"{schema}PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": anna}]}],
    }
    group = platform.scim(made.token, "GET", "/Groups").json()["Resources"][0]["id"]
    assert platform.scim(made.token, "PATCH", f"/Groups/{group}", member).status_code == 403
    with platform.database.write() as connection:
        target = connection.scalar(sa.select(groups.c.id).where(groups.c.name == "Sales"))
        add_enrolment(connection, made.company_id, "Basics", [str(target)])
    platform.client(made.company_id).data(
        "POST", "/api/target-users", {"email": "own@example.com", "phoneNumber": "+1 555 0100"}
    )
    wait_for_lines(platform.database, 9)
    return made, anna, bob


# -- Erasure ------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", [ANNA, "anna.maiden@example.com", "x-anna-7", "the id"])
def test_a_person_is_erased_everywhere(platform: Platform, full: tuple[MadeSetting, str, str], named: str) -> None:
    made, anna, bob = full
    database, before = platform.database, lines(platform.database)
    named = anna if named == "the id" else named
    assert anna in everything(database)
    told = erase_person(database, named, dry_run=True)
    assert all(word in everything(database) for word in (*OF_ANNA, anna))
    done = erase_person(database, named)
    assert done == told == Erased(1, 1, 1, 1, done.lines_of_provisioning_log, 0)
    left = everything(database)
    assert [word for word in (*OF_ANNA, ANNA, ANNA.upper(), "anna.maiden", anna) if word in left] == []
    after = lines(database)
    kept = ("n", "at", "operation", "resource_type", "status", "milliseconds", "token")
    assert [[getattr(row, name) for name in kept] for row in after] == [
        [getattr(row, name) for name in kept] for row in before
    ]
    assert done.lines_of_provisioning_log == sum(new != old for new, old in zip(after, before, strict=True)) >= 5
    assert platform.scim(made.token, "GET", f"/Users/{anna}").status_code == 404
    person = platform.scim(made.token, "GET", f"/Users/{bob}").json()
    assert person["userName"] == "bob@example.com"
    assert person[ENTERPRISE] == {"department": "Sales"}
    assert [row.query for row in after if row.query] == [
        'userName eq "erased"', 'externalId eq "erased"', 'userName eq "bob@example.com"',
    ]  # fmt: skip
    with database.read() as connection:
        said = connection.execute(sa.select(audit_log).where(audit_log.c.operation == "Erase")).one()
    assert (said.entity, said.entity_id, said.old, said.new, said.company_id) == (
        "TargetUser", None, None, None, made.company_id
    )  # fmt: skip
    with pytest.raises(UsageError, match="Nobody"):
        erase_person(database, named)


def test_others_keep_their_values(platform: Platform, full: tuple[MadeSetting, str, str]) -> None:
    _, _, bob = full
    erase_person(platform.database, ANNA)
    mine = next(row for row in lines(platform.database) if row.resource_id == bob)
    said = {change["attribute"]: change["new"] for change in json.loads(mine.changes)}
    assert said["userName"] == "bob@example.com"
    assert said[f"{ENTERPRISE}:department"] == "Sales"
    assert {value for name, value in said.items() if "manager" in name} == {"erased"}
    assert [move["after"] for move in json.loads(mine.moves)] == ["Sales"]
    bulk = next(row for row in lines(platform.database) if row.operation == "bulk")
    values = {change["attribute"]: change["new"] for change in json.loads(bulk.changes)}
    assert (values["displayName"], values["userName"]) == ("erased", "carl@example.com")


def test_one_whom_the_identity_provider_deleted_is_erased_from_the_log(
    platform: Platform, full: tuple[MadeSetting, str, str]
) -> None:
    made, anna, _ = full
    assert platform.scim(made.token, "DELETE", f"/Users/{anna}").status_code == 204
    done = erase_person(platform.database, "ANNA.MAIDEN@example.com")
    assert (done.people, done.lines_of_provisioning_log > 5) == (0, True)
    assert "anna" not in everything(platform.database).lower()


def test_one_who_came_and_went_by_bulk_is_erased_by_name(
    platform: Platform, full: tuple[MadeSetting, str, str]
) -> None:
    made, _, _ = full
    with platform.database.read() as connection:
        carl = connection.scalar(sa.select(users.c.id).where(users.c.user_name == "carl@example.com"))
    assert platform.scim(made.token, "DELETE", f"/Users/{carl}").status_code == 204
    done = erase_person(platform.database, "carl@example.com")
    assert (done.people, done.lines_of_provisioning_log) == (0, 1)
    assert "carl" not in everything(platform.database)
    assert f"'{carl}'" in everything(platform.database)  # nothing says whose id it is; its line is erased by it
    erase_person(platform.database, str(carl))
    assert str(carl) not in everything(platform.database)


def test_several_people_are_told_by_their_ids_alone(
    platform: Platform, setting_factory: Callable[..., MadeSetting], database: Database
) -> None:
    ids = [
        platform.push(setting_factory().token, name, externalId="4711") for name in ("a@example.com", "b@example.com")
    ]
    with pytest.raises(UsageError) as raised:
        erase_person(database, "4711")
    assert all(word in str(raised.value) for word in ids)
    assert "example.com" not in str(raised.value)
    assert one(database, sa.select(sa.func.count()).select_from(users)) == 2
    assert erase_person(database, ids[0]).people == 1
    assert erase_person(database, "4711").people == 1


def test_a_short_name_is_no_word_of_others(
    platform: Platform, setting_factory: Callable[..., MadeSetting], database: Database
) -> None:
    made = setting_factory()
    platform.push(made.token, "sales", "People", emails=[{"value": "s@example.com", "type": "work"}])
    platform.push(made.token, "bob@example.com", "Sales", emails=[{"value": "more.s@example.com", "type": "work"}])
    erase_person(database, "sales")
    first, other = lines(database)
    assert {word for word in ("sales", "s@example.com") if f'"{word}"' in f"{first.changes} {first.query}"} == set()
    said = {change["attribute"]: change["new"] for change in json.loads(other.changes)}
    assert (said["emails"], said[f"{ENTERPRISE}:department"]) == (["more.s@example.com"], "Sales")


def test_an_erasure_that_was_cut_off_is_said_again(
    platform: Platform, full: tuple[MadeSetting, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from scimops.service_provider import erasure

    _, anna, _ = full

    def cut(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_erase_audit", cut)
        with pytest.raises(KeyboardInterrupt):
            erase_person(platform.database, ANNA)
    assert one(platform.database, sa.select(users.c.id).where(users.c.id == anna)) == anna
    erase_person(platform.database, ANNA)
    assert [word for word in (*OF_ANNA, anna) if word in everything(platform.database)] == []


def test_lines_that_a_server_writes_a_little_later_are_erased_too(
    platform: Platform, full: tuple[MadeSetting, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, anna, _ = full
    row = {"company_id": made.company_id, "setting_n": made.n, "at": retention.now(), "token": "t", "status": 200}
    row |= {"operation": "query", "resource_type": "Users", "resource_id": anna, "milliseconds": 1}

    def meanwhile(_: float) -> None:
        with platform.database.write() as connection:
            connection.execute(sa.insert(provisioning_log).values(row))

    monkeypatch.setattr("scimops.service_provider.erasure.time.sleep", meanwhile)
    erase_person(platform.database, ANNA)
    assert (lines(platform.database)[-1].operation, lines(platform.database)[-1].resource_id) == ("query", "erased")


def test_the_bytes_are_gone_from_sqlites_files(tmp_path: Path, served_file: Path) -> None:
    url = f"sqlite:///{served_file}"
    database = open_database(url)  # a server that goes on with its connections

    @sa.event.listens_for(database.engine, "connect")
    def leave_bytes(connection: Any, _: Any) -> None:  # as SQLite does where it was not built otherwise
        connection.execute("PRAGMA secure_delete=OFF")

    with database.write() as connection:
        new = {"company_id": one(database, sa.select(metadata.tables["companies"].c.id)), "at": retention.now()}
        n = connection.scalar(sa.select(metadata.tables["settings"].c.n))
        row = new | {"setting_n": n, "token": "t", "operation": "search", "status": 200, "milliseconds": 1}
        for number in range(300):
            connection.execute(sa.insert(provisioning_log).values(row | {"query": f'userName eq "{ANNA}" or {number}'}))
    with database.write() as connection:  # what is deleted leaves its bytes in free pages
        connection.execute(sa.delete(provisioning_log).where(provisioning_log.c.n > 10))
    before = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert ANNA.encode() in before
    erase_person(database, ANNA)
    scrub(url)
    found = {path.name for path in tmp_path.iterdir() if ANNA.encode() in path.read_bytes().lower()}
    assert found == set()
    assert one(database, sa.select(sa.func.count()).select_from(provisioning_log)) == 10
    database.close()


# -- Backup -------------------------------------------------------------------------------------


@pytest.fixture
def served_file(tmp_path: Path) -> Path:
    """SQLite's file as a first start makes it."""
    path = tmp_path / "platform.db"
    database = open_database(f"sqlite:///{path}")
    prepare(database, quick_setting("department", "Everyone", "Rehearsal"))
    database.close()
    return path


def test_a_backup_is_whole_while_others_write(served_file: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{served_file}"
    database, stop, written = open_database(url), threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with database.write() as connection:  # two rows belong together
                number = len(written)
                connection.execute(sa.insert(server), [{"name": f"{half}{number}", "value": "x"} for half in "ab"])
            written.append(number)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            target = tmp_path / f"{number}.db"
            atleast = len(written)
            assert back_up(url, target) == target.stat().st_size > 0
            assert target.stat().st_mode & 0o077 == 0
            with sqlite3.connect(target) as copy:
                names = [name for (name,) in copy.execute("SELECT name FROM server WHERE value = 'x'")]
            copy.close()
            assert len(names) >= 2 * atleast
            assert sorted(n[1:] for n in names if n[0] == "a") == sorted(n[1:] for n in names if n[0] == "b")
    finally:
        stop.set()
        writer.join()
        database.close()
    restored = open_database(f"sqlite:///{tmp_path / '4.db'}")
    assert prepare(restored, None).credential is None
    restored.close()


def test_a_backup_overwrites_nothing_and_leaves_nothing_half_done(
    served_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, target = f"sqlite:///{served_file}", tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(UsageError, match="there already"):
        back_up(url, target)
    assert target.read_text() == "mine"
    target.unlink()
    with pytest.raises(UsageError, match="no database"):
        back_up(f"sqlite:///{tmp_path / 'typo.db'}", target)
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("CREATE TABLE t (x)").connection.close()
    with pytest.raises(UsageError, match="no database of"):
        back_up(f"sqlite:///{other}", target)
    with served_file.open("r+b") as stream:  # damage in the middle
        stream.seek(4096 * 3)
        stream.write(b"\xff" * 4096)
    with pytest.raises(BackupError):
        back_up(url, target)
    assert {path.name for path in tmp_path.iterdir()} - {"platform.db-shm", "platform.db-wal"} == {
        "platform.db", "other.db"
    }  # fmt: skip


def test_for_postgresql_the_line_is_said_without_a_password(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["serve", "backup", "my copy", "--database", "postgresql://me:hidden@db.example:5433/people"]
    )
    assert isinstance(done.exception, UsageError)
    said = str(done.exception)
    assert "pg_dump --format=custom '--file=my copy' postgresql://me@db.example:5433/people" in said
    assert "hidden" not in said + done.output


def test_the_line_for_postgresql_works(empty_postgres_url: str, tmp_path: Path) -> None:
    import re
    import shlex
    import subprocess

    import postgres

    database = open_database(empty_postgres_url)
    prepare(database, None)
    database.close()
    with pytest.raises(UsageError) as raised:
        back_up(empty_postgres_url, tmp_path / "copy")
    line = shlex.split(re.search(r"Say: (.*) \(it asks", str(raised.value))[1])  # type: ignore[index]
    subprocess.run([Path(postgres.program("initdb")).with_name("pg_dump"), *line[1:]], check=True, timeout=60)
    assert (tmp_path / "copy").read_bytes()[:5] == b"PGDMP"


# -- Retention ----------------------------------------------------------------------------------


def add_lines(database: Database, made: MadeSetting, count: int, at: dt.datetime, size: int = 100) -> None:
    row = {
        "company_id": made.company_id, "setting_n": made.n, "at": at, "token": "t", "operation": "search",
        "status": 200, "milliseconds": 1, "query": "x" * size,
    }  # fmt: skip
    with database.write() as connection:
        connection.execute(sa.insert(provisioning_log), [row] * count)


def test_both_logs_lose_what_is_too_old(database: Database, setting_factory: Callable[..., MadeSetting]) -> None:
    made, moment = setting_factory(), retention.now()
    add_lines(database, made, 1200, moment - 31 * DAY)
    add_lines(database, made, 7, moment - 29 * DAY)
    audit = {"company_id": made.company_id, "actor": "a", "operation": "Create", "entity": "TargetUser"}
    with database.write() as connection:
        for number, days in enumerate((400, 31, 29, 0)):
            connection.execute(sa.insert(audit_log).values(audit | {"id": str(number), "at": moment - days * DAY}))
    pruned = prune(database, Keep(days=30))
    assert (pruned.lines, pruned.audit_lines) == (1200, 2)
    assert one(database, sa.select(sa.func.count()).select_from(provisioning_log)) == 7
    with database.read() as connection:
        assert connection.scalars(sa.select(audit_log.c.id).order_by(audit_log.c.n)).all() == ["2", "3"]
    assert prune(database, Keep(days=30)).lines == 0


def test_beyond_the_size_the_oldest_lines_go(
    database: Database, setting_factory: Callable[..., MadeSetting], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, hour_ago = setting_factory(), retention.now() - DAY / 24
    monkeypatch.setattr(retention, "MEASURED", 400)
    add_lines(database, made, 3000, hour_ago, size=1000)
    line = 1000 + 1 + retention.LINE_BYTES
    assert prune(database, Keep()).size == 3000 * line
    add_lines(database, made, 2000, hour_ago, size=1000)
    add_lines(database, made, 10, retention.now(), size=1000)  # not yet measured, and never deleted before older ones
    assert prune(database, Keep()).size == 5000 * line
    limit = 1200 * line
    pruned = prune(database, Keep(size=limit))
    assert limit - retention.CHUNK * line < pruned.size <= limit
    left = [row.n for row in lines(database)]
    assert len(left) == 5010 - pruned.lines == pruned.size // line + 10
    assert left == list(range(left[0], left[0] + len(left)))
    assert prune(database, Keep(size=limit)).lines == 0
    assert prune(database, Keep(size=1)).lines == len(left) - 10
    assert len(lines(database)) == 10


def test_erasing_has_the_size_measured_anew(platform: Platform, full: tuple[MadeSetting, str, str]) -> None:
    database = platform.database
    with database.write() as connection:
        connection.execute(sa.update(provisioning_log).values(at=retention.now() - DAY))
    before = prune(database, Keep()).size
    erase_person(database, ANNA)
    after = prune(database, Keep()).size
    with database.write() as connection:
        retention.forget_size(connection)
    assert after == prune(database, Keep()).size != before


def test_of_many_processes_one_prunes(database: Database) -> None:
    turns: list[bool] = []
    threads = [threading.Thread(target=lambda: turns.append(claim(database, DAY))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turns) == [False] * 5 + [True]
    assert claim(database, dt.timedelta(0))


def test_a_server_prunes_at_its_start(database: Database, setting_factory: Callable[..., MadeSetting]) -> None:
    add_lines(database, setting_factory(), 5, retention.now() - 400 * DAY)
    thread = retention.Retention(database, Keep())
    for _ in range(200):
        if not lines(database):
            break
        threading.Event().wait(0.05)
    thread.close()
    assert lines(database) == []
    assert not thread._thread.is_alive()


# -- The commands -------------------------------------------------------------------------------


def invoke(*words: str, **options: Any) -> Any:
    return CliRunner().invoke(app, ["serve", *words], **options)


@pytest.fixture
def commanded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Database]]:
    """URL and database as `scimops serve` makes it, with a group and a person in it."""
    url = f"sqlite:///{tmp_path / 'platform.db'}"
    database = open_database(url)
    prepare(database, quick_setting("department", "Everyone", "Rehearsal"))
    with database.write() as connection:
        company = connection.scalar(sa.select(metadata.tables["companies"].c.id))
        now = {"created": retention.now(), "modified": retention.now(), "version": 1, "company_id": company}
        group = now | {
            "id": "g1",
            "kind": "placed",
            "name": "R&D",
            "group_key": "r&d",
            "scim_key": "r&d",
            "target_n": 1,
        }
        connection.execute(sa.insert(groups).values(group | {"n": 1}))
        for n, name in enumerate(("anna", "bob"), 1):
            mail = f"{name}@example.com"
            document = json.dumps({"userName": mail})
            person = now | {"n": n, "id": f"u{n}", "user_name": mail, "user_name_key": mail, "email": mail,
                            "email_key": mail, "active": True, "reason": "matched", "document": document,
                            "folded": document}  # fmt: skip
            connection.execute(sa.insert(users).values(person))
        connection.execute(sa.insert(memberships).values(group_n=1, user_n=1))
    yield url, database
    database.close()


def test_what_others_do_is_done_by_commands(commanded: tuple[str, Database]) -> None:
    url, database = commanded
    made = invoke("enrol", "Basics", "--group", " r&D", "--training", "First steps", "--database", url)
    assert made.exit_code == 0, made.output
    with database.read() as connection:
        assert connection.execute(sa.select(enrolled.c.enrolment_id, enrolled.c.user_n)).all() == [
            (made.stdout.strip(), 1)
        ]
    with database.write() as connection:
        connection.execute(sa.insert(memberships).values(group_n=1, user_n=2))
    assert invoke("enrol", "Late", "--group", "g1", "--no-auto-enrol", "--database", url).exit_code == 0
    assert invoke("enrol-new", "--database", url).stdout == "1 enrolled\n"
    on = sa.select(enrolments.c.auto_enrol).where(enrolments.c.id == made.stdout.strip())
    for word, expected in (("--off", False), ("--on", True)):
        assert invoke("auto-enrol", made.stdout.strip(), word, "--database", url).exit_code == 0
        assert one(database, on) is expected
    assert isinstance(invoke("auto-enrol", "Nothing", "--on", "--database", url).exception, NotFoundError)
    assert isinstance(invoke("delete-group", "Nothing", "--database", url).exception, UsageError)
    assert isinstance(invoke("delete-group", "R&D", "--company", "Other", "--database", url).exception, UsageError)
    assert invoke("delete-group", "R&D", "--company", "This company", "--database", url).exit_code == 0
    assert one(database, sa.select(sa.func.count()).select_from(groups)) == 0


def test_erase_asks_first(commanded: tuple[str, Database]) -> None:
    url, database = commanded
    asked = invoke("erase", "anna@example.com", "--database", url)
    assert isinstance(asked.exception, UsageError)
    assert "people: 1" in asked.stdout
    assert invoke("erase", "anna@example.com", "--dry-run", "--database", url).exit_code == 0
    assert one(database, sa.select(sa.func.count()).select_from(users)) == 2
    done = invoke("erase", "anna@example.com", "--yes", "--database", url)
    assert done.exit_code == 0, done.output
    assert "anna" not in done.output
    assert one(database, sa.select(users.c.user_name)) == "bob@example.com"


def test_a_command_makes_no_database(tmp_path: Path) -> None:
    for words in (["erase", "x", "--yes"], ["enrol-new"], ["delete-group", "x"], ["backup", str(tmp_path / "c")]):
        assert isinstance(invoke(*words, "--database", f"sqlite:///{tmp_path / 'no.db'}").exception, UsageError)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)").connection.close()
    assert isinstance(invoke("enrol-new", "--database", f"sqlite:///{tmp_path / 'other.db'}").exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["other.db"]


def test_an_option_before_the_commands_name_is_refused() -> None:
    done = invoke("--database", "sqlite:///x.db", "enrol-new")
    assert isinstance(done.exception, UsageError)
    assert "--database" in str(done.exception)


def test_commands_work_on_postgresql_too(empty_postgres_url: str) -> None:
    database = open_database(empty_postgres_url)
    migrate(database)
    prepare(database, None)
    assert invoke("enrol-new", "--database", empty_postgres_url).stdout == "0 enrolled\n"
    assert isinstance(invoke("erase", "anna", "--yes", "--database", empty_postgres_url).exception, UsageError)
    database.close()
