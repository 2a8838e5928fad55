import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.vault import Unreadable, Vault, new_token, read_or_make

OLD, NEW = "the old secret, long enough to pass", "the new secret, long enough to pass"


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_comes_back_and_only_with_the_secret(value):
    sealed = Vault(OLD).seal(value)
    assert Vault(OLD).open(sealed) == value
    with pytest.raises(Unreadable):
        Vault(NEW).open(sealed)


def test_a_secret_is_replaced_without_losing_anything():
    sealed, digest = Vault(OLD).seal("value"), Vault(OLD).digest("token")
    both = Vault(f"{NEW}\n{OLD}\n")
    assert both.open(sealed) == "value"
    assert both.digest("token") == digest, "callback addresses keep working"
    assert Vault(NEW).open(both.seal("value")) == "value"


def test_a_seal_has_an_age():
    with pytest.raises(Unreadable):
        Vault(OLD).open(Vault(OLD).seal("value"), max_age=-1)


@pytest.mark.parametrize("nonsense", ["", "é", "gAAAA", "x" * 500])
def test_nonsense_is_unreadable(nonsense):
    with pytest.raises(Unreadable):
        Vault(OLD).open(nonsense)


def test_digests_differ_by_purpose():
    assert Vault(OLD).digest("x", "a") != Vault(OLD).digest("x", "b")


def test_the_secret_is_made_once_for_the_owners_eyes(tmp_path):
    path, found = tmp_path / "instance" / "secret.key", []
    threads = [threading.Thread(target=lambda: found.append(read_or_make(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found[0].strip()) >= 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_tokens_have_32_bytes_and_fit_a_url():
    assert len({new_token() for _ in range(100)}) == 100
    assert all(len(new_token()) == 43 for _ in range(10))
