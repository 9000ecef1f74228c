"""Tokens: what they look like, what is kept of them, who can read them."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimops.tokens import (
    CLIENT_SECRET,
    TOKEN,
    TOKENS,
    Secret,
    hash_token,
    hint,
    looks_like_token,
    make_token,
    redact,
    verify_token,
)  # fmt: skip


@pytest.mark.parametrize("prefix", [TOKEN, CLIENT_SECRET])
def test_a_token_is_recognised_by_its_prefix_its_length_and_its_checksum(prefix: str) -> None:
    for _ in range(50):
        text = make_token(prefix).reveal()
        assert text.startswith(prefix)
        assert len(text) == len(prefix) + 49
        assert looks_like_token(text, prefix)
        assert TOKENS.fullmatch(text)


def test_a_token_is_never_made_twice() -> None:
    assert len({make_token().reveal() for _ in range(2000)}) == 2000


def test_one_kind_of_token_is_not_the_other() -> None:
    assert not looks_like_token(make_token(CLIENT_SECRET).reveal())
    assert not looks_like_token(make_token().reveal(), CLIENT_SECRET)


@given(st.integers(0, 56), st.sampled_from("0aZ_é\ud800 "))
def test_a_typing_error_is_noticed(place: int, letter: str) -> None:
    text = "scimops_" + "7" * 43 + checksum_of("scimops_" + "7" * 43)
    typo = text[:place] + letter + text[place + 1 :]
    assert looks_like_token(typo) == (typo == text)


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    assert not looks_like_token(text)
    assert not verify_token(text, hash_token("another"))
    assert len(hash_token(text)) == 64


@pytest.mark.parametrize("cut", [0, 1, 8, 56])
def test_a_token_copied_in_part_is_noticed(cut: int) -> None:
    assert not looks_like_token(make_token().reveal()[:cut])


def test_only_the_right_token_is_verified() -> None:
    token, other = make_token().reveal(), make_token().reveal()
    assert verify_token(token, hash_token(token))
    assert not verify_token(other, hash_token(token))
    assert token not in hash_token(token)


def test_a_secret_shows_itself_to_nobody_who_does_not_ask() -> None:
    secret = make_token()
    text = secret.reveal()
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>80}", repr([secret])):
        assert text not in shown
        assert hint(text) in shown
    with pytest.raises(TypeError):
        json.dumps(secret)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(secret)
    assert not hasattr(secret, "__dict__")


def test_secrets_are_equal_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1


def test_every_token_in_a_text_is_found() -> None:
    one, two = make_token().reveal(), make_token(CLIENT_SECRET).reveal()
    text = f'{{"token":"{one}"}} and Bearer {two}\n'
    assert TOKENS.findall(text) == [one, two]
    assert one not in redact(text)
    assert two not in redact(text)
    assert redact(text) == f'{{"token":"[token …{hint(one)}]"}} and Bearer [token …{hint(two)}]\n'
    assert redact("scimops_client_abcdefghjkmn and scimops_serve") == "scimops_client_abcdefghjkmn and scimops_serve"


def test_a_short_text_has_no_hint() -> None:
    assert hint("secret") == ""


def checksum_of(body: str) -> str:
    from scimops.tokens import _checksum

    return _checksum(body)
