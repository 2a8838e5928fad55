"""Rules of conditional groups: RaspiSMS's documented ones, and what nobody should be able to do with them."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raspisms.language import Mistake, Rule

LEA = {
    "gender": "female",
    "vip": "1",
    "lastname": "Doe",
    "birthdate": "1990-07-14",
    "age": "34",
    "ville": "Lyon",
}


@pytest.mark.parametrize(
    "rule",
    [
        # As RaspiSMS documents them.
        "1 == 1",
        "contact.gender == 'female'",
        "contact.gender == 'female' && contact.vip == 1",
        "(exists(contact.lastname)) && (upper(contact.lastname) == 'DOE')",
        "is_birthday(date(contact.birthdate))",
        # Its operators and functions.
        "contact.gender != 'male' and not (contact.vip == 0)",
        "!exists(contact.email) || contact.email matches '/@/'",
        "contact.age > 18 ? true : false",
        "contact.ville in ['Lyon', 'Nice'] && contact.ville not in ['Paris']",
        "contact.age in 18..40",
        'lower(contact.ville) matches "/^LY/i"',
        "substr(contact.ville, 0, 2) ~ '!' === 'Ly!'",
        "strlen(contact.ville) == 4 and abs(-3) == 3 and count([1, 2]) == 2",
        "intval('12 rue') == 12 && boolval('non') == false",
        "date('2020-01-01') < date(contact.birthdate) || date('01/02/1980') < date(contact.birthdate)",
        "date_from_format('d/m/Y', '14/07/2026') == date('2026-07-14')",
        "contact_metas.name == 'Léa' && contact_metas.number matches '/^\\\\+33/'",
        "contact.age * 2 + 1 == 69 && contact.age % 10 == 4 && 2 ** 3 == 8",
        "contact.nothing == null && constant('PHP_VERSION') == null",
        "{a: 1}.a == 1",
        "contact.age >= '9' && contact.nothing == 0 && contact.nothing == false",
    ],
)
def test_raspisms_own_rules_run_unchanged(rule):
    assert Rule(rule).holds(LEA, {"name": "Léa", "number": "+33639987001"}) is True


@pytest.mark.parametrize(
    "rule",
    [
        "contact.nothing",
        "contact.nothing > 1",
        "contact.nothing matches '/x/'",
        "contact.age / 0 == 1",
        "contact.ville > 3",
        "contact.__class__",
        "contact.keys",
        "''.join",
        "contact.age is sameas",
        "contact[[1]] == 1",
    ],
)
def test_what_is_missing_or_cannot_be_computed_is_false(rule):
    assert Rule(rule).holds(LEA, {}) is False


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ("", 1, "Il manque la fin"),
        ("contact.age ==", 13, "Il manque la fin"),
        ("contact.age &&& 1", 15, "« & »"),
        ("contact.age = 2", 13, "« = »"),
        ("nope(1)", 5, "La fonction « nope »"),
        ("age > 18", 1, "écrivez contact.age"),
        ("contact.age|nope", 13, "Le filtre « nope »"),
        ("(" * 5000, None, "Trop de parenthèses"),
        ("{[1]: 2} == 1", None, "pas comprise"),
        ("contact.a 'b'", 11, "inattendu"),
    ],
)
def test_a_mistake_is_named_with_its_place(rule, place, words):
    with pytest.raises(Mistake) as caught:
        Rule(rule)
    assert caught.value.place == place
    assert words in str(caught.value).replace("\xa0", " ")


@pytest.mark.parametrize(
    "rule",
    [
        "range(1, 999999999)",
        "'a' ~ 'b' matches '/(a|aa)+$/'",
        f"'{'a' * 60}!' matches '/^(a|aa)+$/'",
        "9 ** 9 ** 9 ** 9",
        "count(1..99999999) > 1",
        "exists(contact.call)() ",
    ],
)
def test_nothing_runs_for_ever(rule):
    began = time.monotonic()
    with suppress(Mistake):
        Rule(rule).holds(LEA, {})
    assert time.monotonic() - began < 2


words = st.sampled_from(
    ["contact", "contact.a", "contact_metas.name", "'x'", "1", "(", ")", "&&", "||", "!", "==", "~", "?", ":", "in",
     "not", "matches", "..", "[", "]", ",", "exists(", "date(", "|upper", ".", "null", "{", "}", "-", "**", "'"]
)  # fmt: skip


@given(st.lists(words, max_size=12).map(" ".join))
def test_whatever_is_typed_is_a_rule_or_a_mistake(source):
    try:
        rule = Rule(source)
    except Mistake:
        return
    assert rule.holds({"a": "1"}, {"name": "x"}) in (True, False)


numbers = st.integers(-1000, 1000)
conditions = st.recursive(
    st.tuples(numbers, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), numbers).map(
        lambda t: (f"({t[0]} {t[1]} {t[2]})", eval(f"{t[0]} {t[1]} {t[2]}"))
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]} && {p[1][0]})", p[0][1] and p[1][1])),
        st.tuples(inner, inner).map(lambda p: (f"({p[0][0]} || {p[1][0]})", p[0][1] or p[1][1])),
        inner.map(lambda one: (f"!{one[0]}", not one[1])),
        st.tuples(inner, inner, inner).map(
            lambda t: (f"({t[0][0]} ? {t[1][0]} : {t[2][0]})", t[1][1] if t[0][1] else t[2][1])
        ),
    ),
    max_leaves=12,
)


@given(conditions)
def test_logic_is_logic(condition):
    source, expected = condition
    assert Rule(source).holds({}, {}) is expected


@given(numbers)
def test_a_number_is_the_same_written_as_a_text(number):
    assert Rule(f"contact.n == {number} && contact.n == '{number}' && contact.n + 1 == {number + 1}").holds(
        {"n": str(number)}, {}
    )
