"""The dashboard of a new installation: what to try, ticked as it is done, gone when nobody needs it."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.tree]


def test_the_first_steps_are_shown_until_they_are_known(tree, person):
    with person(width=390) as reader:
        page = sign_in(reader, tree)
        expect(page.locator(".tour li")).to_have_count(7)
        expect(page.locator(".tour li.done")).to_have_count(0)
        reader.check()
        tree.add_phone()
        page.reload()
        expect(page.locator(".tour li.done")).to_have_count(1)
        page.get_by_role("button", name="Ne plus montrer les premiers pas").click()
        expect(page.locator(".tour")).to_have_count(0)
        expect(page.get_by_text("Rien n’attend personne.")).to_be_visible()
        reader.check()
