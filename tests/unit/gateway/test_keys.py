"""User and service keys: what is stored of them, and when they are good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliostat_core.keys import KeyRefusedError
from heliostat_gateway.access.callers import Caps, KeyKind, Scope
from heliostat_gateway.access.keys import (
    KeyIsRevokedError,
    KeyRecord,
    WantedKey,
    caller_of_key,
    check_key,
    issue_key,
    revoke_key,
    rotate_key,
    split_key,
)

NOW = 1_800_000_000
WANTED = WantedKey(
    name="laptop",
    kind=KeyKind.USER,
    user="ada",
    scopes=frozenset({Scope.MODELS, Scope.API}),
    models=("claude-*",),
    budgets=("team",),
    caps=Caps(cost_nanos=5, turns=2, strict=True),
    expires=NOW + 100,
)


def secret_of(text: str) -> str:
    return split_key(text)[1]


def test_a_key_is_its_id_and_256_random_bits() -> None:
    issued = issue_key(WANTED, NOW)
    key_id, secret = split_key(issued.text)
    assert key_id == issued.record.id
    assert issued.text == f"{key_id}_{secret}"
    assert len(secret) == 43  # 32 bytes in base64
    assert issue_key(WANTED, NOW).text != issued.text


def test_what_is_stored_has_no_secret_and_comes_back_as_it_was() -> None:
    issued = issue_key(WANTED, NOW)
    stored = issued.record.model_dump_json()
    assert secret_of(issued.text) not in stored
    assert KeyRecord.model_validate_json(stored) == issued.record


def test_the_caller_is_what_the_key_was_made_for() -> None:
    record = issue_key(WANTED, NOW).record
    caller = caller_of_key(record)
    assert (caller.key, caller.account, caller.user) == (record.id, record.id, "ada")
    assert caller.caps == WANTED.caps
    assert (caller.models, caller.budgets) == (("claude-*",), ("team",))
    assert caller.scopes == WANTED.scopes
    assert caller.cache_scope == "ada"


@pytest.mark.parametrize(("at", "words"), [(NOW + 99, ""), (NOW + 100, "expired")])
def test_expiry(at: int, words: str) -> None:
    issued = issue_key(WANTED, NOW)
    if not words:
        assert check_key(issued.record, secret_of(issued.text), at) == issued.record
        return
    with pytest.raises(KeyRefusedError, match=words):
        check_key(issued.record, secret_of(issued.text), at)


def test_the_old_secret_is_good_for_the_grace_period_only() -> None:
    issued = issue_key(WANTED, NOW)
    rotated = rotate_key(issued.record, 10, NOW)
    assert split_key(rotated.text)[0] == issued.record.id
    for at in (NOW, NOW + 9):
        check_key(rotated.record, secret_of(issued.text), at)
        check_key(rotated.record, secret_of(rotated.text), at)
    check_key(rotated.record, secret_of(rotated.text), NOW + 10)
    with pytest.raises(KeyRefusedError, match="not known"):
        check_key(rotated.record, secret_of(issued.text), NOW + 10)
    at_once = rotate_key(issued.record, 0, NOW)
    with pytest.raises(KeyRefusedError, match="not known"):
        check_key(at_once.record, secret_of(issued.text), NOW)


def test_a_revoked_key_stays_revoked() -> None:
    issued = issue_key(WANTED, NOW)
    revoked = revoke_key(issued.record, NOW + 1)
    assert revoke_key(revoked, NOW + 50).revoked == NOW + 1
    with pytest.raises(KeyRefusedError, match="revoked"):
        check_key(revoked, secret_of(issued.text), NOW + 1)
    with pytest.raises(KeyIsRevokedError):
        rotate_key(revoked, 0, NOW + 1)


@given(st.text())
def test_no_other_secret_is_good_and_no_refusal_repeats_it(other: str) -> None:
    issued = issue_key(WANTED, NOW)
    for record in (issued.record, None):
        with pytest.raises(KeyRefusedError) as refused:
            check_key(record, f"x{other}", NOW)
        assert "not known" in str(refused.value)


@given(st.text())
def test_any_text_can_be_split(text: str) -> None:
    key_id, secret = split_key(text)
    assert key_id.startswith("hsk_")
    assert "_" not in key_id.removeprefix("hsk_")
    assert len(secret) <= len(text)
