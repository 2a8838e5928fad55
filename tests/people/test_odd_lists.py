"""Lists of the kinds that strangers brought to break the reading: who is on them, and who must never be written to."""

import json
import time
from contextlib import suppress

import pytest

from raspisms.labels import ROLE_LABELS
from raspisms.people.import_lines import NO_SMS
from raspisms.people.reading import Role, Unreadable
from raspisms.people.reading.reader import read
from raspisms.sms import phone_numbers

ONE, TWO, NINE = "06 39 98 70 01", "06 39 98 70 02", "06 39 98 70 09"


def people(text):
    """Name and number of everybody, the number as it would be stored; None where it is one to correct."""
    content = text if isinstance(text, bytes) else text.encode()
    return [(line.name, phone_numbers.read(line.number)[0]) for line in read(content).lines]


LEA, BOB = ("Léa Martin", "+33639987001"), ("Bob Durand", "+33639987002")


@pytest.mark.parametrize(
    "text",
    [
        f"Nom;Téléphone;Portable conjoint\nLéa Martin;{ONE};{NINE}\n",
        f"Nom;Téléphone;Portable personne à prévenir\nLéa Martin;{ONE};{NINE}\n",
        f"Nom;Ancien portable;Nouveau portable\nLéa Martin;{NINE};{ONE}\n",
        f"Nom;Portable (ne plus utiliser);Portable actuel\nLéa Martin;{NINE};{ONE}\n",
        f"Nom;Portable;Portable père\nLéa Martin;639987001;{NINE}\n",
        json.dumps([{"nom": "Léa Martin", "conjoint": {"nom": "P", "portable": NINE}, "telephone": ONE}]),
    ],
)
def test_the_number_is_the_persons_own(text):
    assert people(text) == [LEA]


@pytest.mark.parametrize(
    "text",
    [
        f"Nom;Portable;Personne à prévenir\nLéa Martin;;{NINE}\nBob Durand;{TWO};\n",
        f"Nom;Portable;Commentaire\nLéa Martin;;appeler {NINE}\nBob Durand;{TWO};\n",
        f"Nom;Portable;Tél médecin\nLéa Martin;;{NINE}\nBob Durand;{TWO};\n",
        f"Numéro;Nom;Portable\n690123456;Léa Martin;\n690123457;Bob Durand;{TWO}\n",
        f"Nom;Portable\nLéa Martin;06 12 12 34 56 78\nBob Durand;{TWO}\n",
        f"Nom;Portable\nLéa Martin;{ONE} 9\nBob Durand;{TWO}\n",
        f"Nom;Portable\nLéa Martin;0600000000\nBob Durand;{TWO}\n",
        f"Nom;Portable\nLéa Martin;{ONE} / 22\nBob Durand;{TWO}\n",
        f"Nom;Portable\nLéa Martin;{ONE} ou 02\nBob Durand;{TWO}\n",
        f"Nom;Indicatif;Numéro\nLéa Martin;999;0612345678\nBob Durand;33;{TWO}\n",
    ],
)
def test_nobody_is_written_to_at_a_strangers_number(text):
    assert people(text) == [("Léa Martin", None), BOB]


def test_a_country_code_in_a_column_of_its_own_counts():
    text = "Nom;Indicatif;Numéro\nA;212;0612345678\nB;32;470123456\nC;33;06 39 98 70 01\n"
    assert [number for _, number in people(text)] == ["+212612345678", "+32470123456", "+33639987001"]
    text = "Nom;Code pays;Numéro\nA;MA;0612345678\nB;FR;06 39 98 70 01\n"
    assert [number for _, number in people(text)] == ["+212612345678", "+33639987001"]


def test_whose_number_is_damaged_is_a_person_to_correct():
    text = f"Nom;Portable\n-;06399870\nTotal Énergie;0639987\nTotal;\nLéa Martin;{ONE}\n---;---\n"
    assert people(text) == [("", None), ("Total Énergie", None), LEA]


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0596 50 60 70", "+596596506070"),
        ("0269 61 12 34", "+262269611234"),
        ("0262 20 30 40", "+262262203040"),
        ("0590 20 30 40", "+590590203040"),
        ("0594 30 12 34", "+594594301234"),
        ("+33 590 81 12 34", "+590590811234"),
        ("0508 55 12 34", "+508551234"),
        ("+33 (0)690 00 00 03", "+590690000003"),
        ("+262692000001", "+262692000001"),
        ("262692000001", "+262692000001"),
        ("0545 12 34 56", "+33545123456"),
    ],
)
def test_numbers_of_the_territories_are_theirs(written, number):
    assert phone_numbers.read(written)[0] == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Titles: a title that names telephones, grouped titles, titles again on each page, a total.
        (f"Liste téléphone;;\nNom;Prénom;Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"Identité;;Téléphones\nNom;Prénom;Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"Nom;Portable\nLéa Martin;{ONE}\nNom;Portable\nBob Durand;{TWO}\nTotal;2\n", [LEA, BOB]),
        # A remark that speaks of a mobile is no title, and hides nobody above it.
        (
            f"Bob Durand;{TWO};Lyon\nMax;;n'a plus de portable\nLéa Martin;{ONE};Nice\n",
            [BOB, ("Max", None), LEA],
        ),
        # Two tables side by side; a name with a comma that nobody quoted; cells or whole lines in quotes.
        (f"Nom;Portable;;Nom;Portable\nLéa Martin;{ONE};;Bob Durand;{TWO}\n", [LEA, BOB]),
        (f"Nom,Portable\nMartin, Léa,{ONE}\nBob Durand,{TWO}\n", [("Martin, Léa", LEA[1]), BOB]),
        (f'"Nom"\t"Prénom"\t"Portable"\n"Martin"\t"Léa"\t"{ONE}"\n', [LEA]),
        (f'"Nom;Prénom;Portable"\n"Martin;Léa;{ONE}"\n"Durand;Bob;{TWO}"\n', [LEA, BOB]),
        # Names: of the pupil, the member, in the plural, with a remark; civilities and contacts are none.
        (f"Nom élève;Prénom élève;Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"NOM de l'adhérent;PRÉNOM de l'adhérent;Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"Nom (obligatoire);Prénom(s);Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"Nom;Prénom d'usage;Portable\nMartin;Léa;{ONE}\n", [LEA]),
        (f"Nom;Prénom;Portable;Contact\nMartin;Léa;{ONE};Paul\n", [LEA]),
        (f"Mme;Martin;Léa;{ONE}\nM.;Durand;Bob;{TWO}\n", [("Martin Léa", LEA[1]), ("Durand Bob", BOB[1])]),
        (f"Niveau;Joueur;Portable\nSénior;Léa Martin;{ONE}\n", [LEA]),
        (f"Nom;Portable\nLéa Martin {ONE};\n", [LEA]),
        (f"Nom;Portable\nN/A;{ONE}\n<b>Bob Durand</b>;{TWO}\n", [("", LEA[1]), BOB]),
        # A counter, or a column of the sender's, that is called a number and holds none.
        (f"N°;Nom;Joindre\n1;Léa Martin;{ONE}\n2;Bob Durand;{TWO}\n", [LEA, BOB]),
        (f"Numéro;Nom;Joindre\n1;Léa Martin;{ONE}\n2;Bob Durand;{TWO}\n", [LEA, BOB]),
        (f"Nom;Mobile (pas de SMS la nuit);Fixe\nLéa Martin;{ONE};01 99 00 10 01\n", [LEA]),
        # Numbers: a country's number beside a landline, one written like a date, a landline that a sheet damaged.
        ("Nom;Tél\nA;+32 470 12 34 56 / 01 99 00 10 01\n", [("A", "+32470123456")]),
        ("Nom;Tél\nA;06.12.10.11.12 (maman)\n", [("A", "+33612101112")]),
    ],
)
def test_tables_as_people_make_them(text, found):
    assert people(text) == found


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("4 Max Leroy {}", "Max Leroy"),
        ("05 - Max Leroy {}", "Max Leroy"),
        ("1/ Max Leroy {}", "Max Leroy"),
        ("a) Max Leroy {}", "Max Leroy"),
        ("n°3 Max Leroy {}", "Max Leroy"),
        ("[x] Max Leroy {}", "Max Leroy"),
        ("→ Max Leroy : {}", "Max Leroy"),
        ("✅ Max Leroy {}", "Max Leroy"),
        ("Max Leroy n° de tél : {}", "Max Leroy"),
        ("Max Leroy portable perso {}", "Max Leroy"),
        ("Max Leroy, joignable au {}", "Max Leroy"),
        ("Max Leroy ........ {}.", "Max Leroy"),
        ("Max Leroy né le 25/11/1990 {}", "Max Leroy"),
        ("Max Leroy 25 novembre 1990 {}", "Max Leroy"),
        ("12/09/2026, 18:03 - Max Leroy: mon numéro {}", "Max Leroy"),
        ("[12/09/2026 18:06:11] Max Leroy: {}", "Max Leroy"),
        ("1. {} Max Leroy", "Max Leroy"),
        ("Max Leroy 06.39.98.70.01", "Max Leroy"),
    ],
)
def test_pasted_lines(line, name):
    text = f"{line.format(ONE)}\nBob Durand {TWO}\n"
    assert people(text) == [(name, LEA[1]), BOB]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"+33 6 39 98 70 01, {TWO}, Vous", [("", LEA[1]), ("", BOB[1])]),
        (f"Léa Martin {ONE}, Bob Durand {TWO}", [LEA, BOB]),
        (f"Léa Martin\n{ONE}\nBob Durand\n{TWO}\n", [LEA, BOB]),
        (f"Léa Martin\nTél : {ONE}\nBob Durand\nTél : {TWO}\n", [LEA, BOB]),
        (f"Bonjour,\nvoici la liste :\nLéa Martin {ONE}\nBob Durand {TWO}\nCordialement\n", [LEA, BOB]),
        (f"Liste des parents (12/09/2026) :\n\nLéa Martin {ONE}\n", [LEA]),
        (f"Léa Martin {ONE} / 02\nBob Durand {TWO}\n", [("Léa Martin", None), BOB]),
        (f"Léa Martin 06 12 12 34 56 78\nBob Durand {TWO}\n", [("Léa Martin", None), BOB]),
        (f"Max 3639\nBob Durand {TWO}\n", [("Max", None), BOB]),
    ],
)
def test_pasted_lists(text, found):
    assert people(text) == found


@pytest.mark.parametrize(
    "content",
    [
        {
            "groupes": [{"id": 1, "nom": "A"}],
            "membres": [{"nom": "Léa Martin", "tel": ONE}, {"nom": "Bob Durand", "tel": TWO}],
        },
        {"groupes": [{"nom": "6A", "membres": [{"nom": "Léa Martin", "tel": ONE}, {"nom": "Bob Durand", "tel": TWO}]}]},
        {"1": {"nom": "Léa Martin", "tel": ONE}, "2": {"nom": "Bob Durand", "tel": TWO}},
        {"Léa Martin": ONE, "Bob Durand": TWO},
        {ONE: "Léa Martin", TWO: "Bob Durand"},
        [["Nom", "Portable"], ["Léa Martin", ONE], [], ["Bob Durand", TWO]],
        {"columns": ["Nom", "Portable"], "rows": [["Léa Martin", ONE], ["Bob Durand", TWO]]},
        [f"Léa Martin {ONE}", f"Bob Durand {TWO}"],
    ],
    ids=lambda content: json.dumps(content, ensure_ascii=False)[:30],
)
def test_json_of_any_shape(content):
    assert people(json.dumps(content)) == [LEA, BOB]


def test_json_that_is_written_by_hand():
    one, two = json.dumps({"nom": "Léa Martin", "tel": ONE}), json.dumps({"nom": "Bob Durand", "tel": TWO})
    assert people(f"{one}\n{two}\n") == [LEA, BOB]
    assert people(f"[{one}, {two},]") == [LEA, BOB]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"Nom;Portable\nRe\0my;{ONE}\n".encode(), ""),
        (f"Nom;Portable\nRemy;{ONE}\n".encode("utf-16-le"), ""),
        (f"Nom;Portable\nRémy;{ONE}\n".encode("cp850"), "CP850"),
        (f"Nom;Portable\nRémy;{ONE}\n".encode("cp1252"), "Windows-1252"),
        (f"Nom;Portable\nRémy;{ONE}\nNoël;{TWO}\n".encode().replace("Noël".encode(), "Noël".encode("cp1252")), "UTF-8"),
        (f"Prénom;Portable\nRémy;{ONE}\n".encode().decode("cp1252").encode(), "abîmés"),
    ],
)
def test_letters_of_a_file(content, said):
    found = read(content)
    assert found.lines[0].name.replace("é", "e") == "Remy"
    assert any(said in sentence for sentence, _ in found.layout.said) if said else found.layout.said == []


@pytest.mark.parametrize(
    ("heading", "cell", "agreed"),
    [
        ("Accord SMS", "oui", True),
        ("Accord SMS", "Oui, j'accepte", True),
        ("Accord SMS", "oui le 03/09/2026", True),
        ("Accord SMS", "non merci", False),
        ("Accord SMS", "Je refuse", False),
        ("Accord SMS", "pas d'accord", False),
        ("Accord SMS", "STOP", False),
        ("Accord SMS", "peut-être", None),
        ("Souhaitez-vous recevoir nos SMS ?", "Oui", True),
        ("SMS", "oui", True),
        ("Refus SMS", "oui", False),
        ("Refus SMS", "non", None),
        ("N'accepte pas les SMS", "oui", False),
        ("Opt-out SMS", "1", False),
        ("OptOutSms", "true", False),
        ("Désabonné SMS", "x", False),
        ("Retrait du consentement SMS", "oui", False),
        ("Accord SMS", "oui, par mail uniquement", None),
        ("Accord SMS infos", "oui", None),
        ("Refus SMS infos", "oui", False),
        ("Souhaitez-vous ne plus recevoir de SMS", "oui", False),
        ("No SMS", "yes", False),
        ("Ne pas envoyer de SMS", "x", False),
        ("Accord e-mail", "oui", None),
        ("Autorisation photo", "oui", None),
    ],
)
def test_who_agrees(heading, cell, agreed):
    [line, _] = read(f"Nom;Portable;{heading}\nLéa;{ONE};{cell}\nBob;{TWO};oui\n".encode()).lines
    assert line.agreed is agreed


def test_one_no_outweighs_a_yes_and_advertising_by_name_comes_first():
    text = f"Nom;Portable;Accord SMS infos;Accord SMS publicité\nLéa;{ONE};oui;non\nBob;{TWO};non;oui\n"
    assert [line.agreed for line in read(text.encode()).lines] == [False, True]
    text = f"Nom;Portable;Accord SMS;Accord SMS publicité\nLéa;{ONE};non;oui\n"
    assert [line.agreed for line in read(text.encode()).lines] == [False]
    text = f"Nom;Portable;Accord SMS;Opt-out SMS\nLéa;{ONE};oui;oui\n"
    assert [line.agreed for line in read(text.encode()).lines] == [False]


def birthdays(*written):
    text = "".join(f"P;{ONE};{one}\n" for one in written)
    return [line.data.get("Birthday") for line in read(f"Nom;Portable;Birthday\n{text}".encode()).lines]


def test_birthdays_of_other_countries_and_programs():
    assert birthdays("11/25/1990", "1/2/1980") == ["1990-11-25", "1980-01-02"]
    assert birthdays("25/11/1990", "1/2/1980") == ["1990-11-25", "1980-02-01"]
    assert birthdays("Nov 25, 1990", "33202", "25111990", "dimanche 25 novembre 1990") == ["1990-11-25"] * 4
    assert birthdays("25 / 11 / 1990", "né le 25/11/1990", "25/11/1990 (35 ans)") == ["1990-11-25"] * 3
    assert birthdays("1604-11-25", "?", "15/08/2090") == ["--11-25", None, "15/08/2090"]


def test_web_pages_with_cells_that_are_wide_or_tall():
    text = (
        "<!-- export --><table><tr><th>Famille</th><th>Parent</th><th>Portable</th></tr>"
        f"<tr><td rowspan=2>Martin</td><td><p>Léa</p><p>Martin</p></td><td>{ONE}</td></tr>"
        f"<tr><td>Bob Martin</td><td>{TWO}</td></tr></table>"
    )
    lines = read(text.encode()).lines
    assert [line.number for line in lines] == [ONE, TWO]
    assert "Léa Martin" in lines[0].data.values()
    other = "<table><tr><td rowspan=9>a</td></tr></table>"
    names = f"<table><tr><th>Nom</th><th>Tél</th></tr><tr><td>Léa Martin</td><td>{ONE}</td></tr></table>"
    assert people(other + names) == [LEA]


@pytest.mark.parametrize("content", [b"%PDF-1.7\n1 0 obj", b"{\\rtf1\\ansi 0639987001}"])
def test_a_document_is_no_list(content):
    with pytest.raises(Unreadable, match="document"):
        read(content)


def test_cards_without_an_end_or_an_encoding():
    card = "BEGIN:VCARD\nVERSION:2.1\n"
    text = (
        f"{card}N;ENCODING=QUOTED-PRINTABLE:P=E9tit;Zo=E9\nTEL;CELL:{ONE}\n"
        f"{card}FN:Bob Durand\n" + "TEL;HOME:01 99 00 10 01\n" * 9 + f"TEL:{TWO}\nEND:VCARD\n"
    )
    assert people(text) == [("Zoé Pétit", LEA[1]), BOB]
    assert people(f"{card}FN:Bob Durand\nTEL;FAX:{ONE}\nEND:VCARD\n") == [("Bob Durand", None)]


@pytest.mark.parametrize(
    "text",
    [
        "tel. " * 2_000 + "x 06 39 98 70 01",
        " " * 20_000 + "a",
        "a" * 20_000,
        "<!--" * 20_000,
        "1 " * 20_000,
        "06/" * 9_000,
    ],
    ids=["labels", "blanks", "letters", "comments", "digits", "dates"],
)
def test_no_line_takes_long(text):
    """Of the processor: a minute of it is all that a list has."""
    begun = time.process_time()
    with suppress(Unreadable):
        read((text + f"\nBob Durand {TWO}\n").encode())
    assert time.process_time() - begun < 5


def test_every_kind_that_gets_no_sms_is_said():
    assert set(NO_SMS) == set(phone_numbers.Kind) - {phone_numbers.Kind.MOBILE}


def test_every_role_of_a_column_has_its_words():
    assert set(ROLE_LABELS) == {role.value for role in Role}
