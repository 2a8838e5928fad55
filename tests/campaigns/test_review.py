"""The report before sending: everybody is in it, with the reason."""

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from raspisms.campaigns import drafts, outgoing_text, review
from raspisms.campaigns.review import Step
from raspisms.campaigns.targets import Targets
from raspisms.extensions import db
from raspisms.models import Campaign, Contact, Fate, Hours, Message, Phone, Recipient
from raspisms.people import contact_list, contacts, erasure, groups, imports, opt_outs
from raspisms.people.reading import Line
from raspisms.sms import phone_numbers
from raspisms.storage.transactions import transaction
from raspisms.team import preferences
from raspisms.web import filters
from tests import factories
from tests.desk import fresh, sent, wish, written
from tests.factories import BOB, LEA


def fates(campaign):
    rows = db.session.scalars(select(Recipient).where(Recipient.campaign_id == campaign.id).order_by(Recipient.id))
    return [(row.number, row.fate) for row in rows]


def test_everybody_has_a_fate(at_once):
    contacts.save(None, None, "Léa", LEA, {}, consent="bulletin")
    contacts.save(None, None, "Jules", LEA, {}, consent="bulletin")  # the same telephone
    contacts.save(None, None, "Bob", BOB, {})
    quiet = contacts.save(None, None, "Stop", "+33639987003", {}, consent="oui")
    wrong = contacts.save(None, None, "Faux", "+33639987004", {}, consent="oui")
    opt_outs.add_many(quiet.number, None)
    with transaction() as session:
        session.execute(update(Contact).where(Contact.id == wrong.id).values(fault="…"))
    ids = list(db.session.scalars(select(Contact.id)))
    targets = Targets(
        contacts=ids, numbers=[{"number": "12"}, {"number": "+447911123456"}, {"number": "06 39 98 70 01"}]
    )
    campaign = written(text="Soldes. STOP au 36180", targets=targets, purpose="advertising")
    assert fates(campaign) == [
        (LEA, Fate.KEPT),
        (LEA, Fate.HOUSEHOLD),
        (BOB, Fate.NO_CONSENT),
        ("+33639987003", Fate.OPTED_OUT),
        ("+33639987004", Fate.TO_CORRECT),
        ("12", Fate.INVALID),
        ("+447911123456", Fate.COUNTRY),
        (LEA, Fate.DUPLICATE),
    ]
    found = review.summary(campaign)
    assert (found.kept, found.excluded) == (1, 7)


def test_information_needs_no_consent_and_countries_are_a_choice(at_once):
    preferences.save(preferences.Choices(countries=()))
    campaign = written(LEA, "+447911123456", "+262692123456")
    assert {fate for _, fate in fates(campaign)} == {Fate.KEPT}


def test_a_personal_text_is_filled_counted_and_its_faults_are_told(at_once):
    people = [
        {"number": LEA, "data": {"civilite": "Madame"}},
        {"number": BOB, "data": {"age": "x"}},
        {"number": "+33639987003", "data": {"age": "4", "civilite": "M" * 200}},
    ]
    text = "{{ contact.civilite }} {{ contact.age ? contact.age * 2 : '' }}"
    campaign = written(text=text, targets=Targets(numbers=people))
    assert [fate for _, fate in fates(campaign)] == [Fate.KEPT, Fate.MISTAKE, Fate.KEPT]
    rows = list(db.session.scalars(select(Recipient).order_by(Recipient.id)))
    assert (rows[0].text, rows[0].missing, rows[0].parts) == ("Madame", "age", 1)
    assert rows[2].parts == 2
    found = review.summary(campaign)
    assert found.missing == {"age": 1}
    assert any("calculé" in problem for problem in found.problems), "nobody is left out in silence"


@pytest.mark.parametrize(
    ("language", "words"), [("fr", "Le calcul est impossible"), ("en", "The computation is impossible")]
)
def test_why_a_text_cannot_be_computed_is_said_in_the_readers_language(at_once, monkeypatch, language, words, app):
    monkeypatch.setenv("LANG", "en_GB.UTF-8" if language == "fr" else "fr_FR.UTF-8")  # that of the worker
    written(text="{{ contact.age * 2 }}", targets=Targets(numbers=[{"number": BOB, "data": {"age": "x"}}]))
    [row] = db.session.scalars(select(Recipient).where(Recipient.fate == Fate.MISTAKE))
    with app.test_request_context(headers={"Accept-Language": language}):
        assert words in filters.why_not(row)


def test_the_stop_mention_is_added_counted_and_required(at_once, phone):
    text = "Soldes non-stop ! " + "x" * 136
    consenting = Targets(numbers=[{"number": LEA}], consent="bulletin")
    campaign = written(text=text, targets=consenting, purpose="advertising")
    assert any("numéro court" in problem for problem in review.summary(campaign).problems)
    with transaction() as session:
        session.get_one(Phone, phone.id).stop_number = "36180"
    campaign = written(text=text, targets=consenting, purpose="advertising")
    assert outgoing_text.outgoing_text(campaign).endswith("\nSTOP au 36180")
    assert review.summary(campaign).total_parts == 2
    assert review.summary(campaign).problems == []


def test_the_cost_is_parts_times_the_last_price(at_once, app, phone, octopush, run_jobs):
    factories.billed(phone, Decimal("0.10"), parts=2)
    campaign = written(LEA, BOB, text="ç" * 71)
    found = review.summary(campaign)
    assert (found.total_parts, found.cost, found.credit_after) == (4, Decimal("0.20"), Decimal("9.80"))


def test_a_draft_that_changes_makes_its_report_anew(at_once):
    campaign = written(LEA)
    changed = drafts.save(campaign.id, wish(BOB), None)
    assert fresh(changed.id).prepared_at is None
    review.compute(campaign.id)
    assert fates(fresh(campaign.id)) == [(BOB, Fate.KEPT)]


def test_a_change_in_the_middle_stops_the_old_report(at_once):
    campaign = drafts.save(None, wish(*(f"+3363998{n:04}" for n in range(2500))), None)
    changed = []

    def between():
        if not changed:
            changed.append(drafts.save(campaign.id, wish(BOB), None))

    assert review.compute(campaign.id, between) is Step.CHANGED
    assert review.compute(campaign.id) is Step.COMPLETE
    assert fates(fresh(campaign.id)) == [(BOB, Fate.KEPT)]


def test_a_group_whose_rule_broke_is_told(at_once):
    group = groups.save(None, "G", rule="1 == 1")
    with transaction():
        group.rule = "1 =="
    campaign = written(text="x", targets=Targets(groups=[group.id]))
    assert any("condition" in problem for problem in review.summary(campaign).problems)


@pytest.mark.parametrize("number", ["+33639987001", "+33745678901", "+262692123456", "+590690123456", "+32470123456"])
def test_countries_are_read_from_numbers(number):
    expected = {"+336": "FR", "+337": "FR", "+262": "RE", "+590": "GP", "+324": "BE"}[number[:4]]
    assert phone_numbers.country(number) == expected


def test_two_workers_make_one_report(at_once):
    numbers = [f"+3363998{n:04}" for n in range(2500)]
    campaign = drafts.save(None, wish(*numbers), None)
    seconds = []
    assert review.compute(campaign.id, lambda: seconds.append(review.compute(campaign.id))) is Step.COMPLETE
    assert set(seconds) == {Step.CHANGED}
    assert [number for number, _ in fates(campaign)] == numbers


def test_a_run_that_died_is_taken_over_where_it_was(at_once):
    numbers = [f"+3363998{n:04}" for n in range(2500)]
    campaign = drafts.save(None, wish(*numbers), None)

    def die():
        raise InterruptedError

    with pytest.raises(InterruptedError):
        review.compute(campaign.id, die)
    assert review.compute(campaign.id) is Step.CHANGED, "it may only be slow"
    with transaction() as session:
        session.get_one(Campaign, campaign.id).held_at -= review.SILENT_AFTER
    begun = db.session.scalars(select(Recipient.id)).all()
    assert 0 < len(begun) < len(numbers)
    assert review.compute(campaign.id) is Step.COMPLETE
    assert [number for number, _ in fates(campaign)] == numbers
    assert set(begun) <= set(db.session.scalars(select(Recipient.id)))


def test_a_report_that_has_no_more_time_goes_on_in_the_next_job(at_once):
    people = [contacts.save(None, None, f"Contact {n}", f"+3363998{n:04}", {}).id for n in range(5)]
    group = groups.save(None, "Tous", rule="1 == 1")
    imported = imports.begin([Line(1, "06 39 98 00 40", "Fichier", {})], "liste", None)
    chosen = Targets(
        numbers=[{"number": f"+3363998{n:04}"} for n in range(3, 1500)],
        contacts=people[::2],
        groups=[group.id],
        import_id=imported.id,
    )
    campaign = drafts.save(None, wish(text="Bonjour", targets=chosen), None)
    steps = []
    while not steps or steps[-1] is Step.MORE:
        steps.append(review.compute(campaign.id, ends=0))
    assert (len(steps) > 2, steps[-1]) == (True, Step.COMPLETE)
    at_once = drafts.save(None, wish(text="Bonjour", targets=chosen), None)
    assert review.compute(at_once.id) is Step.COMPLETE
    assert fates(campaign) == fates(at_once)


def test_a_contact_that_is_gone_is_named(at_once):
    lea, bob = (contacts.save(None, None, name, number, {}) for name, number in (("Léa", LEA), ("Bob", BOB)))
    chosen = Targets(contacts=[lea.id, bob.id])
    contacts.delete_some(contact_list.by_ids([lea.id]))
    campaign = written(text="x", targets=chosen)
    assert review.summary(campaign).fates == {Fate.KEPT: 1, Fate.GONE: 1}


def test_the_text_is_the_one_that_was_read(at_once, phone):
    with transaction() as session:
        session.get_one(Phone, phone.id).stop_number = "36180"
    lea = contacts.save(None, None, "Léa", LEA, {}, consent="oui")
    campaign = written(text="Promo", targets=Targets(contacts=[lea.id]), purpose="advertising", hours=Hours.STRICT)
    shown = outgoing_text.outgoing_text(campaign)
    assert shown.endswith("STOP au 36180")
    with transaction() as session:
        session.get_one(Phone, phone.id).stop_number = None
    sent(campaign)
    assert db.session.scalars(select(Message.text)).all() == [shown]


@pytest.mark.parametrize("rests", [True, False], ids=["it rests", "it runs"])
def test_an_erasure_meanwhile_makes_it_begin_anew(at_once, rests):
    """A place in the list means the list of before: nobody is passed over, nobody comes back."""
    numbers = [f"+3363998{n:04}" for n in range(1_200)]
    campaign = drafts.save(None, wish(*numbers), None)
    erased = contacts.save(None, None, "Léa", numbers[0], {})

    def erase():
        if db.session.get(Contact, erased.id) is not None:
            with transaction() as session:
                erasure.erase(session, session.get_one(Contact, erased.id))

    if rests:
        assert review.compute(campaign.id, ends=0) is Step.MORE
        erase()
    else:
        assert review.compute(campaign.id, erase) is Step.CHANGED
    assert review.compute(campaign.id) is Step.COMPLETE
    assert [number for number, _ in fates(campaign)] == numbers[1:]
