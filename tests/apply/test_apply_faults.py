"""An apply that is killed, lied to, cut off, stopped or begun twice: it converges, and its receipts are true."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from applying import Company, Person, connected_to, crowd, tomorrow
from ends import Asked, Reply
from managing import Platform as Embedded
from proxying import TOKEN_NAME, Proxy, cut, cut_after, scim_error
from test_serve import Platform

from scimops.apply import Progress, apply
from scimops.apply.journal import NAME, alone
from scimops.errors import UsageError
from scimops.plan import Plan, StalePlanError
from scimops.service_provider.tables import provisioning_log
from scimops.touched import file_digest

BOTH = pytest.mark.parametrize("url", ["server", "client"], indirect=True)

APPLYING = """\
import sys
from pathlib import Path
from scimops.apply import apply
from scimops.client import connect
from scimops.connections import Connection
url, token, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
with connect(Connection(name="acme", kind="scim", url=url, token=token, timeout=10.0)) as service_provider:
    apply(folder / "sealed.json", service_provider, folder)
"""


def process(url: str, folder: Path) -> subprocess.Popen[bytes]:
    """An apply of `sealed.json` in `folder`, as a process of its own."""
    return subprocess.Popen([sys.executable, "-c", APPLYING, url, f"env:{TOKEN_NAME}", str(folder)])


def sealed(acme: Company, plan: Plan, name: str) -> Path:
    folder = acme.folder / name
    folder.mkdir()
    plan.save(folder / "sealed.json")
    return folder


def good_changes(embedded: Embedded) -> Counter[tuple[str, str]]:
    """How often each person was really changed, by kind of operation."""
    log = provisioning_log.c
    asked = sa.select(log.operation, log.resource_id).where(log.status < 300, log.changes.is_not(None))
    with embedded.database.read() as connection:
        return Counter((operation, person) for operation, person in connection.execute(asked)
                       if operation in ("create", "patch", "replace", "delete"))  # fmt: skip


def killed_and_finished(acme: Company, url: str, plan: Plan, name: str, fraction: float) -> tuple[int, int]:
    """Killed after this part of its steps, then begun again; how many steps were done, and in flight, at the kill."""
    folder = sealed(acme, plan, name)
    journal = folder / NAME
    applying = process(url, folder)
    wanted = int(fraction * plan.operations.height)
    while applying.poll() is None and (not journal.exists() or journal.read_bytes().count(b'{"receipt"') < wanted):
        time.sleep(0.001)
    applying.send_signal(signal.SIGKILL)
    assert applying.wait(30) in (-signal.SIGKILL, 0)
    lines = journal.read_bytes()
    done, intents = lines.count(b'{"receipt"'), lines.count(b'{"intent"')
    receipts = apply(folder / "sealed.json", acme.service_provider, folder)
    assert (receipts.exit_code, receipts.findings, receipts.stopped) == (0, [], "")
    assert receipts.counts == {"done": plan.operations.height, "withheld": 0}
    return done, intents - done


def kills(acme: Company, embedded: Embedded, url: str, people: int, points: int) -> list[tuple[int, int]]:
    """Company after company is pushed there; each apply is killed at a random point."""
    chosen, seen = random.Random(20), []
    today = crowd(people)
    for number in range(points):
        before = good_changes(embedded)
        plan = acme.plan(today)
        seen.append(killed_and_finished(acme, url, plan, f"kill{number}", chosen.random()))
        assert acme.landed() == acme.expected(today)
        assert acme.plan(today).operations.height == 0
        twice = good_changes(embedded) - before
        assert sum(twice.values()) == plan.operations.height, twice.most_common(3)
        assert set(twice.values()) == {1}
        # the whole company moves on: everybody has something to be done
        today = [Person(one.key, f"{one.department} {number}") for one in today[people // 10 :]]
        today += [Person(f"k{number}n{one}", "Sales") for one in range(people // 10)]
    return seen


def test_killed_anywhere_it_goes_on_and_does_nothing_twice(acme: Company, embedded: Embedded, url: str) -> None:
    seen = kills(acme, embedded, url, people=40, points=3)
    assert any(0 < done < 40 for done, _ in seen)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_killed_at_fifty_points(acme: Company, embedded: Embedded, url: str) -> None:
    seen = kills(acme, embedded, url, people=150, points=50)
    flying = sorted(one for _, one in seen)
    print(f"\nkilled at {len(seen)} points; done then: {sorted(done for done, _ in seen)}; in flight: {flying}")  # noqa: T201


@pytest.mark.parametrize("url", ["client"], indirect=True)
def test_killed_where_groups_are_made_by_us(acme: Company, url: str) -> None:
    acme.apply(acme.plan([Person(f"p{one}", f"Team {one % 5}") for one in range(30)]))
    later = [Person(f"p{one}", f"Team {(one + 1) % 7}") for one in range(30)]
    killed_and_finished(acme, url, acme.plan(later), "killed", 0.7)
    assert acme.landed() == acme.expected(later)
    assert acme.snapshot().groups.height == 7
    assert acme.plan(later).operations.height == 0


# A service provider, or a way to it, that says what is not so


def lying(chosen: random.Random, share: float, counts: Counter[str]) -> Callable[[Asked, Callable[[], bytes]], Reply]:
    """Now and then another answer comes, or none: before anything was done, or after."""

    def busy(_asked: Asked, _pass_on: Callable[[], bytes]) -> bytes:
        return scim_error(429, "slow down", Retry_After="0")

    def says(status: int) -> Callable[[Asked, Callable[[], bytes]], Reply]:
        return lambda _asked, _pass_on: scim_error(status, "at random", "uniqueness" if status == 409 else "")

    def fails_after(_asked: Asked, pass_on: Callable[[], bytes]) -> bytes:
        pass_on()
        return scim_error(500, "at random, after it was done")

    faults = {"409": says(409), "412": says(412), "404": says(404), "500": says(500), "429": busy, "cut": cut,
              "cut after": cut_after, "500 after": fails_after}  # fmt: skip

    def fault(asked: Asked, pass_on: Callable[[], bytes]) -> Reply:
        if chosen.random() >= share:
            return pass_on()
        name = chosen.choice(sorted(faults))
        counts[name] += 1
        return faults[name](asked, pass_on)

    return fault


def lied_to(acme: Company, proxy: Proxy, people: int) -> Counter[str]:
    """Three days of a company, pushed through a proxy that lies; each plan is begun again until all of it is done."""
    counts: Counter[str] = Counter()
    chosen = random.Random(7)
    path = "/scim/v2" if acme.placing else "/v2"
    with connected_to(f"{proxy.url}{path}") as lied:
        proxy.meant = lambda asked: asked.method != "GET"
        today = crowd(people)
        for number, later in enumerate((today, tomorrow(today))):
            plan = acme.plan(later)
            proxy.always = lying(chosen, 0.15, counts)
            for _ in range(6):
                receipts = apply(plan, lied, acme.folder / f"lied{number}")
                true_to_what_is_there(acme, plan, receipts.steps)
                if set(receipts.steps["outcome"]) <= {"done", "already"}:
                    break
            assert receipts.counts["done"] == plan.operations.height, receipts.counts
            assert acme.landed() == acme.expected(later)
            assert acme.plan(later).operations.height == 0
    return counts


def true_to_what_is_there(acme: Company, plan: Plan, steps: pl.DataFrame) -> None:
    """What is said to be done is done, and what is said to be refused is not."""
    state = acme.state()
    names = {row[1]: row for row in state.values()}
    for kind, outcome, person, after in steps.select("kind", "outcome", "id", "after").iter_rows():
        if kind in ("update", "rename", "reactivate", "deactivate") and outcome == "done":
            row = dict(zip(("externalId", "userName", "email", "firstName", "lastName", "department", "active"),
                           state[person], strict=False))  # fmt: skip
            assert row | json.loads(after) == row
    for outcome, name in steps.filter(pl.col("kind") == "create").select("outcome", "userName").iter_rows():
        if outcome in ("done", "refused"):
            assert (name in names) == (outcome == "done"), (outcome, name)


@BOTH
def test_whatever_is_answered_it_converges_and_receipts_are_true(acme: Company, proxy: Proxy) -> None:
    assert len(lied_to(acme, proxy, people=135 if acme.placing else 40)) == 8


@pytest.mark.long
@pytest.mark.timeout(1800)
@BOTH
def test_whatever_is_answered_over_two_thousand_operations(acme: Company, proxy: Proxy) -> None:
    print(f"\nanswers at random: {dict(lied_to(acme, proxy, people=1500))}")  # noqa: T201


def test_a_service_provider_that_refuses_everybody_is_not_asked_for_each(acme: Company, proxy: Proxy) -> None:
    plan = acme.plan(crowd(130))
    proxy.fail("POST", "/Users", always=lambda _a, _p: scim_error(400, "no seats left"))
    with connected_to(f"{proxy.url}/scim/v2") as refusing:
        receipts = apply(plan, refusing, acme.folder / "refused")
    assert "of the last 50 steps were refused or failed" in receipts.stopped
    assert "no seats left" in receipts.stopped
    assert receipts.exit_code == 1
    assert receipts.counts["not_done"] > 50
    assert acme.apply(plan, "refused").counts == {"done": 130, "withheld": 0}


@pytest.mark.parametrize("url", ["client"], indirect=True)
def test_one_group_that_takes_nobody_stops_no_other(acme: Company, proxy: Proxy) -> None:
    plan = acme.plan(crowd(12))
    group = plan.operations.filter(kind="create_group")["group"].sort().to_list()[-1]

    def refused(asked: Asked, pass_on: Callable[[], bytes]) -> Reply:
        found = acme.service_provider.find_group(name=group)
        return scim_error(400, "closed") if found and found["id"] in asked.path else pass_on()

    proxy.meant, proxy.always = lambda asked: asked.method == "PATCH", refused
    with connected_to(f"{proxy.url}/v2") as refusing:
        receipts = apply(plan, refusing, acme.folder / "one")
    outcomes = receipts.steps.filter(kind="join").select("group", "outcome").unique().sort("outcome").rows()
    assert {outcome for name, outcome in outcomes if name == group} == {"refused"}
    assert {outcome for name, outcome in outcomes if name != group} == {"done"}
    assert "closed" in receipts.steps.filter(outcome="refused")["said"][0]
    assert (receipts.exit_code, receipts.findings) == (1, [])
    assert acme.apply(plan, "one").counts == {"done": plan.operations.height, "withheld": 0}


def test_without_a_connection_it_ends_and_goes_on_later(acme: Company, proxy: Proxy) -> None:
    plan = acme.plan(crowd(60))
    with connected_to(f"{proxy.url}/scim/v2") as going:
        seen: list[Asked] = []

        def gone(asked: Asked, pass_on: Callable[[], bytes]) -> Reply:
            seen.append(asked)
            return pass_on() if len(seen) < 20 else scim_error(401, "token revoked")

        proxy.fail("POST", "/Users", always=gone)
        receipts = apply(plan, going, acme.folder / "one")
    assert "does not take the token" in receipts.stopped
    assert receipts.counts["not_done"] > 20
    assert acme.apply(plan, "one").counts == {"done": 60, "withheld": 0}
    assert acme.plan(crowd(60)).operations.height == 0


@pytest.mark.long
def test_a_server_that_is_killed_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform(tmp_path)
    plan, folder = None, tmp_path / "one"
    with platform.started() as server:
        assert server.stdout is not None
        token = next(line for line in server.stdout if line.startswith("token:")).split()[1]
        monkeypatch.setenv(TOKEN_NAME, token)
        with connected_to(f"{platform.base}/scim/v2") as service_provider:
            acme = Company(service_provider, tmp_path)
            plan = acme.plan(crowd(300))

            def kill(progress: Progress) -> None:
                if progress.done == 100:
                    os.killpg(server.pid, signal.SIGKILL)

            receipts = apply(plan, service_provider, folder, on_progress=kill)
    assert receipts.stopped
    assert receipts.exit_code == 1
    assert [each.code for each in receipts.findings] == ["not_checked"]
    assert receipts.counts["not_done"] > 100
    with platform.started(), connected_to(f"{platform.base}/scim/v2") as service_provider:
        acme = Company(service_provider, tmp_path)
        receipts = apply(plan, service_provider, folder)
        assert (receipts.counts, receipts.findings) == ({"done": 300, "withheld": 0}, [])
        assert acme.landed() == acme.expected(crowd(300))
        assert acme.plan(crowd(300)).operations.height == 0


# Stopped, begun twice, stale


@BOTH
def test_a_stop_finishes_what_is_under_way_and_it_goes_on_later(acme: Company) -> None:
    plan, stop, seen = acme.plan(crowd(50)), threading.Event(), []

    def count(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == 10:
            stop.set()

    receipts = acme.apply(plan, "one", stop=stop, on_progress=count)
    assert (receipts.cancelled, receipts.exit_code, receipts.findings) == (True, 130, [])
    done = receipts.counts["done"]
    assert 10 <= done < 50
    assert receipts.counts["not_done"] == plan.operations.height - done
    assert seen[0].of == plan.operations.height
    assert seen[0].seconds_left is not None
    assert acme.snapshot().users.height == receipts.steps.filter(kind="create", outcome="done").height
    assert acme.apply(plan, "one").counts == {"done": plan.operations.height, "withheld": 0}


def test_ctrl_c_is_a_stop(acme: Company) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    plan = acme.plan(crowd(60))
    receipts = acme.apply(plan, "one", on_progress=interrupt)
    assert (receipts.cancelled, receipts.exit_code) == (True, 130)
    assert acme.snapshot().users.height == receipts.counts["done"] < 60
    assert acme.apply(plan, "one").counts == {"done": 60, "withheld": 0}


def test_the_second_of_two_applies_is_refused_and_told_who_holds_it(acme: Company) -> None:
    plan = acme.plan(crowd(4))
    (acme.folder / "one").mkdir()
    with alone(acme.folder / "one"), pytest.raises(StalePlanError, match=r"on its way .* process \d+, since") as found:
        acme.apply(plan, "one")
    assert found.value.exit_code == 5
    assert acme.snapshot().users.is_empty()
    assert acme.apply(plan, "one").exit_code == 0


def test_a_folder_is_of_one_plan(acme: Company) -> None:
    acme.apply(acme.plan(crowd(2)), "one")
    with pytest.raises(UsageError, match="another plan"):
        acme.apply(acme.plan(crowd(3)), "one")


def test_a_stale_or_altered_plan_is_refused(acme: Company) -> None:
    preview = acme.preview(crowd(3))
    plan = acme.plan(crowd(3))
    assert file_digest(acme.folder / "people.csv") == plan.source.files[0]["sha256"]
    acme.apply(plan, "dry", dry_run=True, setting=acme.setting, export=preview.export)
    with pytest.raises(StalePlanError, match="setting was changed"):
        acme.apply(plan, setting=acme.setting.model_copy(update={"name": "Other"}))
    other = acme.preview(crowd(4))
    with pytest.raises(StalePlanError, match="export is another"):
        acme.apply(plan, export=other.export)
    path = acme.folder / "plan.json"
    plan.save(path)
    path.write_text(path.read_text().replace("p0001@", "p9999@"))
    with pytest.raises(StalePlanError, match="changed after it was made"):
        acme.apply(path)  # type: ignore[arg-type]
    assert acme.snapshot().users.is_empty()
