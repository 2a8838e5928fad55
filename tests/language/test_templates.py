"""Personal texts: what Twig gave RaspiSMS's users, bounded."""

import re
import time
from contextlib import suppress

import pytest

from raspisms.language import Mistake, Template, is_personal

LEA = {"gender": "female", "birthdate": "1990-07-14", "ville": "Lyon", "solde": "1234.5", "vide": ""}
METAS = {"name": "Léa", "number": "+33639987001"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        # RaspiSMS's documented uses: civility, VIP, birthday, a code, capitals.
        (
            "Bonjour {% if contact.gender == 'male' %}Monsieur{% elseif contact.gender == 'female' %}Madame"
            "{% else %}{% endif %} {{ contact_metas.name }}",
            "Bonjour Madame Léa",
        ),
        ("{% if contact.vip is defined %}VIP{% else %}non{% endif %}", "non"),
        ("{% if contact.birthdate|date('%m') == 'now'|date('%m') %}Bon mois{% endif %}", "Bon mois"),
        ("{% apply upper %}Bonjour {{ contact.ville }}{% endapply %}", "BONJOUR LYON"),
        ("{% set a = 'x' %}{% for i in 1..3 %}{% set a = a ~ i %}{% endfor %}{{ a }}", "x123"),
        ("{% set b %}un {{ contact.ville }}{% endset %}{{ b }}", "un Lyon"),
        ("{% for key, value in {a: 1, 'b': 2} %}{{ key }}={{ value }};{% endfor %}", "a=1;b=2;"),
        ("{% for x in [] %}x{% else %}rien{% endfor %}", "rien"),
        ("{% for x in [3, 1, 2]|sort %}{{ loop.index }}:{{ x }} {% endfor %}", "1:1 2:2 3:3 "),
        # Twig's operators and tests.
        ("{{ contact.rien }}|{{ contact.rien ?? 'x' }}|{{ contact.vide ?: 'y' }}", "|x|y"),
        ("{{ 'abcdef'[1:2] }} {{ 'abc'|slice(1) }} {{ 'a' starts with 'a' ? 'oui' : 'non' }}", "bc bc oui"),
        ("{{ 4 is divisible by(2) ? 1 : 0 }}{{ 3 is odd ? 1 : 0 }}{{ '' is empty ? 1 : 0 }}", "111"),
        ("{{ 1 is not null ? 1 : 0 }}{{ contact.ville is same as('Lyon') ? 1 : 0 }}", "11"),
        ("{{ 0.1 * 3 }}", "0.3"),
        ("{{ 7 // 2 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 7 % 4 }}", "3 3.5 3 3"),
        # Its filters.
        ("{{ contact.solde|number_format(2, ',', ' ') }}", "1 234,50"),
        ("{{ 2.5|round }} {{ 2.4|round(0, 'ceil') }} {{ -3|abs }}", "3 3 3"),
        ("{{ ['a', 'b', 'c']|join(', ', ' et ') }} {{ 'a,b'|split(',')|last }}", "a, b et c b"),
        ("{{ 'bonjour'|replace({'bon': 'mal'}) }} {{ ' x '|trim }} {{ 'abc'|reverse }}", "maljour x cba"),
        ("{{ 'élan'|capitalize }} {{ 'a b'|title }} {{ 'a b'|url_encode }}", "Élan A B a%20b"),
        ("{{ '%s a %d ans'|format('Léa', '34') }} {{ [1, 2]|json_encode }}", "Léa a 34 ans [1, 2]"),
        ("{{ '2026-07-14'|date('d/m/Y') }} {{ '14/07/2026'|date('l j F')|lower }}", "14/07/2026 mardi 14 juillet"),
        ("{{ '2026-01-31'|date_modify('+1 day')|date('Y-m-d') }}", "2026-02-01"),
        ("{{ 'FR'|country_name }} {{ 'EUR'|currency_symbol }} {{ 'fr'|language_name }}", "France € français"),
        ("{{ 12.5|format_currency('EUR') }}", "12,50\xa0€"),
        ("{{ max(1, 3, 2) }}{{ min([4, 2]) }}{{ range(1, 7, 3)|join('-') }}", "321-4-7"),
        ("{{ contact.rien|default('—') }}{{ 'abc'|length }}{{ {'a': 1}|keys|first }}", "—3a"),
        ("{{ true }}{{ false }}{{ null }}", "1"),
        ("A\n{% if 1 %}\nX\n{% endif %}\nY", "A\nX\nY"),  # Twig takes the line end after a tag away
        ("{# une note #}prix : 5 €", "prix : 5 €"),
    ],
)  # fmt: skip
def test_twigs_texts_run_unchanged(text, filled):
    assert Template(text).fill(LEA, METAS) == filled


def test_a_lucky_code_of_eight_letters():
    text = "{% set letters = range('A', 'Z') %}{% for i in 1..8 %}{{ random(letters) }}{% endfor %}"
    code = Template(text).fill({}, {})
    assert re.fullmatch("[A-Z]{8}", code)


def test_missing_data_are_told():
    missed = set()
    assert Template("{{ contact.prénom }} {{ contact.ville }}").fill(LEA, METAS, missed) == " Lyon"
    assert missed == {"prénom"}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("Bonjour\n{{ contact.nom|nope }}", 2, "Le filtre « nope »"),
        ("{% if contact.a %}\nx", 2, "{% endif %}"),
        ("a\nb\n{{ prenom }}", 3, "écrivez contact.prenom"),
        ("{% include 'x' %}", 1, "La balise « include »"),
        ("{% import 'x' as y %}", 1, "La balise « import »"),
        ("{% macro f() %}{% endmacro %}", 1, "La balise « macro »"),
        ("{{ contact.a", 1, "Il manque la fin"),
    ],
)
def test_a_mistake_is_named_with_its_line(text, line, words):
    with pytest.raises(Mistake) as caught:
        Template(text)
    assert caught.value.place == line
    assert words in str(caught.value).replace("\xa0", " ")


def test_what_cannot_be_computed_names_its_line():
    with pytest.raises(Mistake) as caught:
        Template("Bonjour\n{{ contact.ville / 2 }}").fill(LEA, METAS)
    assert caught.value.place == 2


@pytest.mark.parametrize(
    "text",
    [
        "{% for i in 1..20000 %}{% for j in 1..20000 %}{% endfor %}{% endfor %}",
        "{% set a = 'xxxxxxxxxx' %}{% for i in 1..60 %}{% set a = a ~ a %}{% endfor %}",
        "{{ 'x'|replace({'x': 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'})|replace({'x': '" + "x" * 2000 + "'}) }}",
        "{{ '%999s'|format('x')|split('')|join('" + "y" * 900 + "') }}",
        "{% for i in 1..20000 %}" + "z" * 100 + "{% endfor %}",
        "{{ 2 ** 999999 }}",
        "{% set l = 1..20000 %}{% for i in l %}{{ l|sort|reverse|join }}{% endfor %}",
        "{{ [[[[1..9999]]]] }}" * 50,
        "{{ " + "contact.a ?? " * 40 + "1 }}",
        "{{ " + "(" * 40 + "contact.a" + " ?: 1)" * 40 + " }}",
        "{% set a = 'x' %}" + "{% set a = [a, a, a, a, a, a, a, a, a, a] %}" * 9 + "{{ a }}",
        "{% set a = 'x' %}" + "{% set a = [a, a, a, a, a, a, a, a, a, a] %}" * 9 + "{{ a == a ? 1 : 2 }}",
        "{% set a = 'x' %}" + "{% set a = {'b': a, 'c': a, 'd': a, 'e': a} %}" * 20 + "{{ a|json_encode }}",
    ],
)
def test_a_text_that_would_run_for_ever_is_stopped(text):
    began = time.monotonic()
    with suppress(Mistake):
        assert len(Template(text).fill(LEA, METAS)) <= 100_000
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ contact.__init__.__globals__ }}",
        "{{ contact['__class__'] }}",
        "{{ self }}",
        "{{ cycler }}{{ lipsum() }}",
        "{{ [].append(1) }}",
        "{{ 'x'.upper() }}",
        "{{ ('x'|attr('upper'))() }}",
        "{{ loop }}",
    ],
)
def test_nothing_but_the_data_can_be_reached(text):
    try:
        filled = Template(text).fill(LEA, METAS)
    except Mistake:
        return
    assert filled.strip() == ""


def test_half_a_character_is_left_out():
    assert Template('{{ "\\ud800" }}a').fill({}, {}) == "a"


def test_a_plain_text_is_not_personal():
    assert not is_personal("5 € { et } 100 %")
    assert is_personal("{{ contact.a }}")
    assert is_personal("{% if 1 %}{% endif %}")
