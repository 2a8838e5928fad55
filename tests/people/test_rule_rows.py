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


@pytest.mark.parametrize(
    "rule",
    [
        "date(contact.d) < date('today') && exists(contact.ville)",
        "date(contact.d) < date('-18 years')",
        "date(contact.d) < date('31/02/2026')",
        "lower(contact.a) == lower('') && exists(contact.b)",
        "lower(contact.ville) == lower(' Lyon ')",
        r"lower(contact.ville) == lower('a\nb')",
        "contact.age >= 12345678901",
        " || ".join(f"exists(contact.a{n})" for n in range(40)),
    ],
)
def test_what_rows_would_not_give_back_stays_written(rule):
    Rule(rule)
    assert of_rule(rule) is None


@given(
    st.lists(
        st.sampled_from(
            [
                "exists(contact.a)",
                "date(contact.d) < date('24/12/2025')",
                "lower(contact.a) == lower('')",
                "contact.n >= 1",
                "contact.n >= 007",
            ]
        ),
        min_size=1,
        max_size=4,
    )
)
def test_to_open_and_to_save_changes_nothing(clauses):
    rule = " && ".join(clauses)
    found = of_rule(rule)
    assert found is None or written(found) == rule


@pytest.mark.parametrize(
    "row",
    [
        Row("", "is", "Lyon"),
        Row("ville", "is", " "),
        Row("@answer:3", "is", ""),
        Row("@answer:abc", "yes"),
        Row("@answer:", "yes"),
        Row("@answer:²", "yes"),
        Row("d", "before", "31/02/2026"),
        Row("d", "after", "99/99/2026"),
    ],
)
def test_half_a_line_is_never_left_out_in_silence(row):
    with pytest.raises(NotARow):
        written(Rows([Row("vip", "known"), row]))


def test_a_line_too_many_is_said_and_an_empty_one_is_none():
    with pytest.raises(NotARow):
        written(Rows([Row("a", "known")] * 31))
    assert written(Rows([Row("", "known"), Row("a", "known"), Row("", "is", "  ")])) == "exists(contact.a)"


@pytest.mark.parametrize("typed", ["1 000", "1\u00a0000", "1\u202f000", "1000"])
def test_numbers_are_read_as_french_tables_write_them(typed):
    assert written(Rows([Row("points", "at_least", typed)])) == "contact.points >= 1000"


def test_a_date_stands_in_its_field_as_browsers_have_it():
    [row] = of_rule("date(contact.d) < date('24/12/2025')").rows
    assert (row.value, row.shown) == ("24/12/2025", "2025-12-24")
    assert Row("ville", "is", "24/12/2025").shown == "24/12/2025"
