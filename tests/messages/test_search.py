"""Words in all texts, found by their beginning, whatever the index has reached."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raspisms.clock import now
from raspisms.extensions import db
from raspisms.messages import listing as finding
from raspisms.messages import search
from raspisms.models import Direction, Message, Phone
from raspisms.people import contacts
from raspisms.receiving import incoming
from raspisms.storage.transactions import transaction
from tests.factories import BOB, LEA, post


@pytest.fixture
def here(app, phone):
    with app.app_context():
        yield db.session.get(Phone, phone.id)
        db.session.rollback()


def hear(phone, *texts, number=LEA):
    with transaction() as session:
        return [incoming.store(session, phone, number, text, now()).id for text in texts]


@pytest.mark.parametrize("indexed", [0, 1, 3])
def test_words_are_found_with_or_without_the_index(here, indexed):
    first = hear(here, "La bibliothèque ferme", "Le marché de Noël")[:indexed]
    search.catch_up()
    hear(here, "Une BIBLIOTHEQUE et un marché")
    if indexed == 3:
        search.catch_up()
    assert first == first[:indexed]
    assert search.ids("biblio") == [3, 1]
    assert search.ids("MARCHE bib") == [3]
    assert search.ids("noël") == search.ids("noel") == [2]
    assert search.ids("arché") == []
    assert search.ids("biblio", before=3) == [1]
    assert search.ids("biblio", limit=1) == [3]


@pytest.mark.parametrize("odd", ['"', "a OR b", "NEAR(", "*", "-", "'; --", "😀", "%", "col:x", "&|!", "\\"])
def test_no_search_is_an_order_to_the_database(here, odd):
    hear(here, "Bonjour")
    search.catch_up()
    assert search.ids(odd) == []


def test_what_is_deleted_is_not_found(here):
    hear(here, "secret un", "secret deux")
    search.catch_up()
    with transaction() as session:
        search.forget(session, [session.get(Message, 1)])
    assert search.ids("secret") == [2]


def test_indexing_goes_on_where_it_stopped(here, monkeypatch):
    monkeypatch.setattr(search, "CHUNK", 2)
    hear(here, *["mot"] * 5)
    assert search.catch_up(seconds=0) is True
    assert search.catch_up() is False
    assert search.ids("mot") == [5, 4, 3, 2, 1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(words=st.text(max_size=200), query=st.text(max_size=30))
def test_what_is_marked_is_the_text_and_nothing_else(words, query):
    import html

    shown = str(search.marked(words, query))
    bare = html.unescape(shown.replace("<mark>", "").replace("</mark>", "")).strip("…")
    assert bare in words or bare == ""
    assert shown.count("<mark>") == shown.count("</mark>")
    assert "<" not in shown.replace("<mark>", "").replace("</mark>", "")


def test_a_list_is_searched_by_number_name_and_word_together(here, app, phone):
    contacts.save(None, None, "Zoé Samedi", BOB, {})
    hear(here, "Ouverts samedi ?", "Non")
    hear(here, "Bonjour", number=BOB)
    asked = finding.Asked(Direction.IN, q="samedi")
    assert [message.id for message in finding.page(asked, None).rows] == [3, 1]
    by_number = finding.Asked(Direction.IN, q="06 39 98 70 02")
    assert [message.id for message in finding.page(by_number, None).rows] == [3]
    assert [message.id for message in finding.everything(asked)] == [3, 1]


def test_a_searched_list_has_pages_too(here, monkeypatch):
    monkeypatch.setattr(finding, "CANDIDATES", 7)
    hear(here, *["mot", "autre"] * 130)
    asked, seen, after = finding.Asked(Direction.IN, q="mot"), [], None
    while True:
        page = finding.page(asked, after)
        seen += [message.id for message in page.rows]
        after = page.next
        if after is None:
            break
    assert seen == list(range(259, 0, -2))


@pytest.mark.parametrize("sort", ["newest", "oldest", "number", "-number"])
def test_every_order_shows_everything_once(app, phone, sort):
    post(app, phone, *[f"+3363998{n % 40:04d}" for n in range(40)])
    post(app, phone, *[f"+3363998{n:04d}" for n in range(30)], text="encore")
    with app.app_context():
        seen, after = [], None
        while True:
            page = finding.page(finding.Asked(Direction.OUT, sort=sort), after)
            seen += page.rows
            if (after := page.next) is None:
                break
        keys = [(one.number, one.id) if "number" in sort else one.id for one in seen]
        assert keys == sorted(keys, reverse=sort in ("newest", "-number"))
        assert len(keys) == len(set(keys)) == 70


@pytest.mark.parametrize(
    ("words", "prefix"),
    [("06 39", "+3363" + "9"), ("+33639", "+33639"), ("0033 6", "+336"), ("12", None), ("samedi", None), ("639", None)],
)
def test_the_first_digits_of_a_number_are_read_as_people_write_them(words, prefix):
    assert finding.number_prefix(words) == prefix


ODD = (
    "Appartement de 50 m² au 1er", "Rendez-vous n°5 à l'hôtel", "nº12 rue de l'Église", "Straße und Fuß",
    "l’œuf et le bœuf", "prix : 12,50 €", "code foo_bar-baz", "ﬁn de mois", "½ journée", "10h30", "a.b@c.fr",
    "http://x.fr/é", "naïve NAÏVE", "Ⅳe république", "µg", "12 34 56", "İstanbul", "ǅ",
)  # fmt: skip


@pytest.mark.parametrize("indexed", [False, True])
def test_every_word_finds_its_text_however_it_is_written(here, indexed):
    ids = dict(zip(hear(here, *ODD), ODD, strict=True))
    while indexed and search.catch_up():
        pass
    missed = [
        (word, words)
        for message_id, words in ids.items()
        for word in words.split()
        if search.words_of(word) and message_id not in search.ids(word)
    ]
    assert missed == []


def test_what_is_forgotten_is_not_found(here):
    [gone, kept] = hear(here, "Straße au m²", "Straße")
    search.catch_up()
    from raspisms.conversations import removal

    with transaction() as session:
        removal.remove_received(session, [gone])
    assert search.ids("strasse") == [kept]
    assert search.ids("m2") == []
