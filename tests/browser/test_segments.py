"""The counter of the browser and the one of the server are the same."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raspisms.sms import segments
from raspisms.sms.rewriting import TABLE, without_foreign

pytestmark = pytest.mark.browser

SCRIPTS = [Path(segments.__file__).parents[1] / "static" / name for name in ("segments.js", "rewriting.js")]
TEXTS = st.text(
    alphabet=st.one_of(
        st.sampled_from(segments.BASIC + segments.EXTENDED),
        st.sampled_from("êçôîœ’«»…\N{NO-BREAK SPACE}😀é"),
        st.characters(exclude_categories=["Cs", "Cn"]),
    ),
    max_size=400,
)


@pytest.fixture(scope="module")
def page(chromium):
    context = chromium.new_context()
    page = context.new_page()
    for script in SCRIPTS:
        page.add_script_tag(path=str(script))
    yield page
    context.close()


def both(page, text):
    here = segments.count(text)
    there = page.evaluate("text => countSegments(text)", text)
    return (
        (here.encoding, here.units, here.parts, here.remaining, segments.foreign_characters(text)),
        (there["encoding"], there["units"], there["parts"], there["remaining"], there["foreign"]),
    )


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_both_count_the_same(page, text):
    here, there = both(page, text)
    assert here == there


@pytest.mark.parametrize("length", [0, 1, 70, 71, 134, 135, 153, 160, 161, 306, 307, 1224])
@pytest.mark.parametrize("character", ["a", "€", "ê", "😀"])
def test_both_agree_at_every_edge(page, length, character):
    here, there = both(page, character * length)
    assert here == there


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_the_browser_rewrites_as_the_server_does(page, text):
    assert page.evaluate("text => withoutForeign(text)", text) == without_foreign(text)


def test_the_browser_knows_every_character_of_the_table(page):
    text = " a ".join(TABLE)
    assert page.evaluate("text => withoutForeign(text)", text) == without_foreign(text)
