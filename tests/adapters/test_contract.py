"""What every adapter keeps to, whichever provider it speaks to."""

import dataclasses
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.adapters import REGISTRY
from raspisms.adapters.base import Callback, UnreadableCallback

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture(params=REGISTRY.values(), ids=REGISTRY.keys())
def adapter(request):
    return request.param


def test_it_is_registered_under_its_own_key(adapter):
    assert REGISTRY[adapter.key] is adapter
    assert adapter.label
    assert adapter.provider


def test_every_setting_can_be_drawn(adapter):
    for field in dataclasses.fields(adapter.Settings):
        assert field.metadata["label"], field.name
        assert field.metadata["kind"] in {"text", "secret", "number", "choice"}
        assert bool(field.metadata["choices"]) == (field.metadata["kind"] == "choice")


def test_a_key_is_secret(adapter):
    assert any(field.metadata["kind"] == "secret" for field in dataclasses.fields(adapter.Settings))


def test_grouping_is_only_for_those_who_can(adapter):
    assert adapter.max_recipients >= 1
    assert adapter.max_text >= 160


@given(
    body=st.one_of(st.binary(), st.text().map(str.encode)),
    content_type=st.sampled_from(["", "application/json", "multipart/form-data; boundary=x", "text/plain"]),
    query=st.text(alphabet=st.characters(max_codepoint=127)),
)
def test_nonsense_is_refused_or_ignored_and_never_breaks(body, content_type, query):
    for adapter in REGISTRY.values():
        try:
            items = adapter.read_callback(Callback(body, content_type, query, PARIS))
        except UnreadableCallback:
            continue
        assert items
