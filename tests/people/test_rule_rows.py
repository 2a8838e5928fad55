"""A rule as rows, and rows as a rule: one thing, in two spellings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.campaigns import drafts
from raspisms.clock import now
from raspisms.extensions import db
from raspisms.language import Mistake
from raspisms.language.rules import Rule
from raspisms.models import Answer, Direction, Message, Status
from raspisms.people import contacts, groups, rule_rows
from raspisms.people.rule_rows import ANSWER, NAME, NotARow, Row, Rows, of_rule, written
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA

ZOE = "+33639987003"
KEYS = st.sampled_from(["ville", "née_le", "classe_2", NAME])
TEXTS = st.text(max_size=30).map(str.strip).filter(lambda text: text and "\0" not in text)
ROWS = st.one_of(
    st.builds(Row, KEYS, st.sampled_from(["is", "is_not", "contains", "begins"]), TEXTS),
    st.builds(Row, KEYS, st.sampled_from(["known", "unknown", "birthday"])),
    st.builds(Row, KEYS, st.sampled_from(["at_least", "at_most", "older", "younger"]), st.integers(0, 999).map(str)),
    st.builds(Row, KEYS, st.sampled_from(["before", "after"]), st.dates().map(lambda day: day.isoformat())),
    st.builds(Row, st.integers(1, 999).map(f"{ANSWER}{{}}".format), st.sampled_from(list(rule_rows.ANSWERS))),
)


@given(st.lists(ROWS, min_size=1, max_size=6), st.booleans())
def test_what_rows_say_is_read_back_as_the_same_rows(rows, any_of):
    rule = written(Rows(rows, any_of))
    assert of_rule(rule) == Rows(rows, any_of if len(rows) > 1 else False)
    try:
        Rule(rule)
    except Mistake:
        pytest.fail(f"no rule: {rule}")


@pytest.mark.parametrize(
    ("row", "data", "holds"),
    [
        (Row("ville", "is", "lyon"), {"Ville": "LYON"}, True),
        (Row("ville", "is", "Lyon"), {"ville": "Lyon 3e"}, False),
        (Row("ville", "is", "L'Isle-\\d'Abeau"), {"ville": "l'isle-\\d'abeau"}, True),
        (Row("ville", "is_not", "Lyon"), {}, True),
        (Row("ville", "contains", "yon"), {"ville": "Lyon"}, True),
        (Row("ville", "begins", "ly"), {"ville": "Lyon"}, True),
        (Row("ville", "known"), {"ville": "Lyon"}, True),
        (Row("ville", "unknown"), {"ville": "Lyon"}, False),
        (Row("age", "at_least", "18"), {"age": "18"}, True),
        (Row("age", "at_most", "17,5"), {"age": "18"}, False),
        (Row("inscrit", "before", "2026-01-01"), {"inscrit": "31/12/2025"}, True),
        (Row("inscrit", "after", "24/12/2025"), {"inscrit": "31/12/2025"}, True),
        (Row("né", "older", "18"), {"né": "07/12/1990"}, True),
        (Row("né", "younger", "18"), {"né": "07/12/1990"}, False),
        (Row(NAME, "is", "zoé"), {}, True),
    ],
)
def test_what_a_row_means(row, data, holds):
    assert Rule(written(Rows([row]))).holds(data, {"name": "Zoé"}) is holds


@pytest.mark.parametrize(
    "row",
    [Row("né", "before", "hier"), Row("âge", "at_least", "grand"), Row("ville", "yes"), Row("@answer:1", "is", "x")],
)
def test_what_cannot_be_compared_is_said(row):
    with pytest.raises(NotARow):
        written(Rows([row]))


@pytest.mark.parametrize(
    "rule",
    [
        "contact.ville == 'Lyon'",
        "lower(contact.ville) == lower('Lyon') && exists(contact.a) || exists(contact.b)",
        "(exists(contact.a))",
        "exists(contact.a) && ",
        "lower(contact.ville) == lower('Lyon",
        "",
    ],
)
def test_what_only_the_language_says_stays_written(rule):
    assert of_rule(rule) is None


def test_a_joint_inside_of_a_text_is_none():
    rows = Rows([Row("ville", "is", "a && b' || c"), Row("x", "known")])
    assert of_rule(written(rows)) == rows


def test_who_answered_what_is_a_group(app, phone):
    with app.app_context():
        for name, number in (("Léa", LEA), ("Bob", BOB), ("Zoé", ZOE), ("Ida", "+33639987004")):
            contacts.save(None, None, name, number, {})
        chosen = drafts.Targets(numbers=[{"number": LEA}])
        asked = drafts.save(None, drafts.Wish(1, "Venez-vous ?", chosen), None).id
        with transaction() as session:
            common = {"phone_id": 1, "created_at": now(), "parts": 1, "text": "…"}
            out = common | {"direction": Direction.OUT, "status": Status.DELIVERED, "campaign_id": asked}
            heard = common | {"direction": Direction.IN, "status": Status.RECEIVED, "answered_campaign_id": asked}
            for number in (LEA, BOB, ZOE):
                session.add(Message(number=number, **out))
            for number, answer in ((LEA, Answer.YES), (BOB, Answer.YES), (BOB, Answer.NO)):
                session.add(Message(number=number, answer=answer, **heard))

        def who(how):
            found = groups.save(None, how, rule=written(Rows([Row(f"{ANSWER}{asked}", how)])))
            return [person.name for person in groups.members([found.id])]

        assert who("yes") == ["Léa"]
        assert who("no") == ["Bob"], "the last word counts"
        assert who("none") == ["Zoé"], "who did not get it was not asked"
        assert who("other") == []
        db.session.rollback()
