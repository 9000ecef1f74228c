"""The ledger: every kind of tampering is found and named; killed, parallel and hindered writers leave it whole."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from chains import a_record, forged, grow, lines
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimops.credentials import CredentialError, known
from scimops.jobs.ledger import LONGEST, TORN, LedgerError, append, canonical, ready
from scimops.jobs.signing import key_file, make_key, public_key_file, read_public_key
from scimops.jobs.verify import verify
from scimops.tokens import Secret

CHECK = re.search(r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "ledger.md").read_text(), re.DOTALL)
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    return tmp_path / "runs.ndjson"


@pytest.fixture
def signed(ledger: Path) -> Path:
    make_key()
    grow(ledger, 6)
    return ledger


def elsewhere(ledger: Path, *key: Path) -> subprocess.CompletedProcess[str]:
    """The program of docs/ledger.md, without scimops."""
    assert CHECK
    command = [sys.executable, "-I", "-c", CHECK[1], str(ledger), *map(str, key)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def agree(ledger: Path, why: str | None, **against: str) -> None:
    """Ours says so, and where no head is needed for it, the program of the docs agrees."""
    assert verify(ledger, **against).why == why
    if "head" not in against:
        key = [public_key_file()] if "key" in against else []
        assert (elsewhere(ledger, *key).returncode == 0) == (why is None)


def public_key() -> str:
    return read_public_key(str(public_key_file()))


# -- Whole ----------------------------------------------------------------------------------------


def test_a_chain_is_good_and_says_what_that_proves(ledger: Path) -> None:
    written = grow(ledger, 3)
    found = verify(ledger, head=written[1].head)
    assert (found.good, found.records, found.head, found.signed) == (True, 3, written[2].head, 0)
    assert "not the owner" in found.proves
    assert elsewhere(ledger).stdout.strip() == written[2].head
    assert ledger.stat().st_mode & 0o777 == 0o600


def test_an_empty_ledger_is_good_but_not_against_a_head(ledger: Path) -> None:
    assert (verify(ledger).good, verify(ledger).records) == (True, 0)
    assert verify(ledger, head="1:" + "a" * 64).why == "cut"


def test_signed_from_the_key_on(ledger: Path) -> None:
    grow(ledger, 2)
    make_key()
    grow(ledger, 2)
    found = verify(ledger, key=public_key())
    assert (found.good, found.records, found.signed, found.keys) == (True, 4, 2, [public_key()])
    assert "The first 2 came before the key" in found.proves
    assert elsewhere(ledger, public_key_file()).returncode == 0


def test_the_key_is_its_owners_alone(signed: Path) -> None:
    assert key_file().stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in signed.read_bytes()
    key_file().chmod(0o644)
    with pytest.raises(CredentialError, match="everybody may read"):
        append(a_record(), signed)
    assert verify(signed).records == 6


# -- Tampered -------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [0, 3, 7])
def test_one_byte_changed_at_every_tenth_position(signed: Path, first: int) -> None:
    whole, dice = signed.read_bytes(), random.Random(first)
    for place in range(first, len(whole), 10):
        other = (whole[place] + dice.randrange(1, 256)) % 256
        signed.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
        found = verify(signed)
        assert not found.good, (place, other)
        assert found.records == whole[:place].count(b"\n")
        assert found.line == found.records + 1


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_other_order_or_choice_of_lines_is_found(signed: Path, data: st.DataObject) -> None:
    original = signed.with_name("original")
    if not original.exists():
        original.write_bytes(signed.read_bytes())
    whole, path = lines(original), signed.with_name("tampered")
    chosen = data.draw(st.lists(st.integers(0, 5), max_size=8))
    path.write_bytes(b"".join(whole[number] for number in chosen))
    head = f"6:{json.loads(whole[5])['hash']}"
    assert verify(path).good == (chosen == list(range(len(chosen))))
    assert verify(path, head=head).good == (chosen == list(range(6)))


@pytest.mark.parametrize("place", range(5))
def test_removed_inserted_and_swapped_are_named(signed: Path, place: int) -> None:
    whole = lines(signed)
    entry = json.loads(whole[place])
    signed.write_bytes(b"".join(whole[:place] + whole[place + 1 :]))
    agree(signed, "removed")
    assert f"record {place + 1} was removed" in verify(signed).message
    signed.write_bytes(b"".join([*whole[: place + 1], whole[place], *whole[place + 1 :]]))
    agree(signed, "inserted")
    signed.write_bytes(b"".join([*whole[:place], whole[place + 1], whole[place], *whole[place + 2 :]]))
    agree(signed, "swapped")
    assert verify(signed).line == place + 1
    bare = {name: value for name, value in entry.items() if name not in ("signature", "key")}
    signed.write_bytes(b"".join([*whole[:place], forged(bare, written="2020-01-01T00:00:00.000Z"), *whole[place:]]))
    assert verify(signed).why == ("unsigned" if place else "inserted")


def test_a_cut_tail_shows_only_against_a_head(signed: Path) -> None:
    whole = lines(signed)
    head = str(verify(signed).head)
    for kept in range(6):
        signed.write_bytes(b"".join(whole[:kept]))
        assert verify(signed).good
        assert verify(signed, head=head).why == "cut"
    assert "ends with 5: its tail was cut off" in verify(signed, head=head).message


def test_a_chain_written_anew_shows_against_head_and_key(signed: Path) -> None:
    head, key, whole = str(verify(signed).head), public_key(), lines(signed)
    entries = [json.loads(line) for line in whole]
    previous, anew = entries[1]["hash"], whole[:2]
    for entry in entries[2:]:
        del entry["signature"], entry["key"]
        entry["record"]["counts"] = {"people": 8}
        anew.append(forged(entry, previous=previous))
        previous = json.loads(anew[-1])["hash"]
    signed.write_bytes(b"".join(anew))
    agree(signed, "unsigned", key=key)
    signed.unlink()
    key_file().unlink()
    make_key()
    grow(signed, 7)
    assert verify(signed).good
    assert verify(signed, key=key).why == "wrong key"
    found = verify(signed, head=head)
    assert (found.why, found.line) == ("rewritten", 6)


def test_a_ledger_without_signatures_is_not_by_the_key(signed: Path) -> None:
    key = public_key()
    signed.unlink()
    key_file().unlink()
    grow(signed, 2)
    agree(signed, "unsigned", key=key)


def test_a_changed_signature_is_found(signed: Path) -> None:
    *before, last = lines(signed)
    entry = json.loads(last)
    signature = bytearray.fromhex(entry["signature"])
    signature[10] ^= 1
    signed.write_bytes(b"".join([*before, canonical(entry | {"signature": signature.hex()}) + b"\n"]))
    agree(signed, "wrong key", key=public_key())
    assert verify(signed).why == "wrong key"


def test_a_last_line_that_was_changed_is_not_built_upon(signed: Path) -> None:
    *before, last = lines(signed)
    damaged = b"".join([*before, last.replace(b'"people":7', b'"people":8')])
    signed.write_bytes(damaged)
    for attempt in (lambda: append(a_record(), signed), lambda: ready(signed)):
        with pytest.raises(LedgerError, match="last line is damaged"):
            attempt()
    assert signed.read_bytes() == damaged


# -- Faults ---------------------------------------------------------------------------------------


def test_a_torn_line_is_kept_and_named_wherever_the_writer_was_killed(signed: Path) -> None:
    whole = lines(signed)
    for cut in range(1, len(whole[5]) - 1, 37):
        torn = b"".join(whole[:5]) + whole[5][:cut]
        signed.write_bytes(torn)
        agree(signed, "torn")
        append(a_record(), signed)
        found = verify(signed)
        assert (found.good, found.records, found.torn) == (True, 6, 1)
        assert signed.read_bytes().startswith(torn + TORN)
        assert elsewhere(signed, public_key_file()).returncode == 0 if cut == 1 else True


def test_killed_again_while_naming_the_torn_line(signed: Path) -> None:
    torn = signed.read_bytes()[:-50]
    signed.write_bytes(torn)
    append(a_record(), signed)
    mended = signed.read_bytes()
    for cut in range(len(torn), len(mended), 29):
        signed.write_bytes(mended[:cut])
        append(a_record(), signed)
        found = verify(signed)
        assert (found.good, found.records) == (True, 6), (cut, found)
        assert 1 <= found.torn <= 2
    agree(signed, None)


def test_a_line_that_lacks_only_its_end_is_a_record(signed: Path) -> None:
    whole = signed.read_bytes()
    signed.write_bytes(whole[:-1])
    append(a_record(), signed)
    assert signed.read_bytes().startswith(whole)
    found = verify(signed)
    assert (found.good, found.records, found.torn) == (True, 7, 0)


def test_a_torn_line_that_was_changed_or_removed_is_found(signed: Path) -> None:
    signed.write_bytes(signed.read_bytes()[:-50])
    append(a_record(), signed)
    *before, torn, last = lines(signed)
    for instead in (b"", torn[:-8] + b"x" + TORN, torn + torn):
        signed.write_bytes(b"".join([*before, instead, last]))
        agree(signed, "changed")
    signed.write_bytes(b"".join([*before, torn]))
    agree(signed, "torn")


def test_a_clock_that_goes_back_is_recorded_and_the_chain_is_the_order(ledger: Path) -> None:
    append(a_record(), ledger)
    ledger.write_bytes(forged(json.loads(lines(ledger)[0]), written="2099-01-01T00:00:00.000Z"))
    append(a_record(), ledger)
    append(a_record(), ledger)
    entries = [json.loads(line) for line in lines(ledger)]
    assert entries[1]["clock_back_ms"] > 70 * 365 * 86_400_000
    assert "clock_back_ms" not in entries[2]
    assert (verify(ledger).good, verify(ledger).clock_went_back) == (True, 1)


def test_a_full_disk_leaves_the_ledger_as_it_was(ledger: Path) -> None:
    grow(ledger, 2)
    before = ledger.read_bytes()

    def write_beyond_the_limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 200, len(before) + 200))
        try:
            append(a_record(), ledger)
        except LedgerError as error:
            os._exit(17 if "cannot be written" in str(error) else 1)

    writer = FORK.Process(target=write_beyond_the_limit)
    writer.start()
    writer.join(30)
    assert writer.exitcode == 17
    assert ledger.read_bytes() == before


def test_sixty_writers_at_once(signed: Path) -> None:
    writers = [FORK.Process(target=grow, args=(signed, 5)) for _ in range(60)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
    assert [writer.exitcode for writer in writers] == [0] * 60
    found = verify(signed, key=public_key())
    assert (found.good, found.records, found.torn) == (True, 306, 0)
    ids = {json.loads(line)["record"]["id"] for line in lines(signed)}
    assert len(ids) == 306


def test_no_secret_gets_into_it(ledger: Path) -> None:
    secret = known(Secret("correct horse battery"))
    token = "scimops_" + "A" * 49
    record = a_record(password=secret.reveal(), pair=f"user:{secret.reveal()}", token=token)
    append(record.model_copy(update={"counts": {secret.reveal(): 1}}), ledger)
    text = ledger.read_text()
    assert secret.reveal() not in text
    assert token not in text
    assert text.count("[secret]") >= 3
    assert verify(ledger).good


def test_a_name_that_is_no_unicode_is_kept_readably(ledger: Path) -> None:
    append(a_record(path=os.fsdecode(b"export-\xff.csv")), ledger)
    assert "export-" in json.loads(lines(ledger)[0])["record"]["parameters"]["path"]
    assert verify(ledger).good


def test_memory_does_not_grow_with_a_line_without_end(ledger: Path) -> None:
    grow(ledger, 1)
    with ledger.open("ab") as stream:
        stream.truncate(ledger.stat().st_size + 4 * LONGEST)
    found = verify(ledger)
    assert (found.line, found.records) == (2, 1)
    with pytest.raises(LedgerError, match="longer than"):
        append(a_record(), ledger)


@pytest.mark.long
def test_killed_at_twenty_random_moments(signed: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # the report
    dice, acknowledged, torn = random.Random(seed), 6, 0
    for _ in range(20):
        ours, theirs = FORK.Pipe(duplex=False)

        def write_for_ever(pipe=theirs) -> None:
            while True:
                pipe.send(append(a_record(text="x" * dice.randrange(400_000)), signed).number)

        writer = FORK.Process(target=write_for_ever)
        writer.start()
        assert ours.poll(30)
        time.sleep(dice.random() / 5)
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        theirs.close()
        while ours.poll():
            try:
                acknowledged = max(acknowledged, ours.recv())
            except EOFError:
                break
        assert append(a_record(), signed).number > acknowledged
        found = verify(signed, key=public_key())
        assert found.good, found.message
        torn = found.torn
    print(f"{acknowledged} records acknowledged, {torn} torn lines")  # noqa: T201  # the report
