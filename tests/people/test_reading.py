"""Lists of people in every shape that they come in."""

import json

import pytest

from raspisms.people.reading import Unreadable, reader

LEA, BOB = ("Léa Martin", "06 39 98 70 01"), ("Bob", "0639987002")


def people(content):
    return [(line.name, line.number) for line in reader.read(content).lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t", ",", "|"])
def test_encodings_and_separators_are_found(encoding, delimiter):
    rows = [("Nom", "Téléphone", "Ville"), (*LEA, "Orléans"), (*BOB, "Paris")]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    [lea, bob] = reader.read(text.encode(encoding)).lines
    assert (lea.name, lea.number, lea.data) == (*LEA, {"Nom": "Léa Martin", "Ville": "Orléans"})
    assert (bob.line, bob.name) == (3, "Bob")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # RaspiSMS's exports, both shapes: contacts, and numbers with data.
        ("name,number,gender\nLéa Martin,+33639987001,female\n", [("Léa Martin", "+33639987001")]),
        ("0,1,gender\nLéa Martin,+33639987001,female\n", [("Léa Martin", "+33639987001")]),
        ("numero,gender\n+33639987001,female\n", [("", "+33639987001")]),
        # First and last names, in any order; no header; numbers alone; pasted lines.
        ("Prénom;NOM;Portable\nLéa;Martin;06 39 98 70 01\n", [("Léa Martin", "06 39 98 70 01")]),
        ("Martin;0639987001\nBob;0639987002\n", [("Martin", "0639987001"), BOB]),
        ("0639987001;Martin\n0639987002;Bob\n", [("Martin", "0639987001"), BOB]),
        ("0639987001\n0639987002", [("", "0639987001"), ("", "0639987002")]),
        ("Léa Martin 06 39 98 70 01\nBob : 0639987002\n", [("Léa Martin", "06 39 98 70 01"), BOB]),
        ("06 39 98 70 01 Léa Martin\n", [LEA]),
        # Damaged first lines, numbers alone on a line, a landline beside a mobile, Excel's own first line.
        ("Alice;06399870\nBob;0639987002\n", [("Alice", "06399870"), BOB]),
        ("0639987001,0639987002", [("", "0639987001"), ("", "0639987002")]),
        ("nom;telephone;mobile\nBob;0145678901;0639987002\n", [BOB]),
        ("sep=;\nnom;mobile\nBob;0639987002\n", [BOB]),
        # A quoted line break, a doubled quote, an empty line between.
        ('Nom;Mobile\n"Léa\nMartin";06 39 98 70 01\n\n"B""ob";0639987002\n', [LEA, ('B"ob', "0639987002")]),
        # A quote that nobody closed hides nobody below it.
        ('Nom;Mobile\n"Léa Martin;06 39 98 70 01\nBob;0639987002\n', [LEA, BOB]),
        # What an export put before a formula is taken away again.
        ("name;number;note\n'=Léa;0639987001;x\n", [("=Léa", "0639987001")]),
    ],
)
def test_columns_are_found_by_name_and_by_content(text, found):
    assert people(text.encode()) == found


def test_first_and_last_names_stay_readable_one_by_one():
    [line] = reader.read(b"Nom;Prenom;Portable;Date de naissance\nMartin;Lea;0639987001;1990-02-03\n").lines
    assert line.name == "Lea Martin"
    assert line.data == {"Nom": "Martin", "Prenom": "Lea", "Date_de_naissance": "1990-02-03"}


def test_raspisms_list_of_numbers_keeps_each_of_its_data():
    [line] = reader.read(b"destinataire,prenom,code\n+33639987001,Lea,12\n").lines
    assert (line.number, line.data) == ("+33639987001", {"prenom": "Lea", "code": "12"})


def test_json_with_odd_values_is_read_all_the_same():
    body = '[{"name": "a\\ud800b\\u0000", "number": "0639987001", "data": {"x": null}}, {"number": 1, "data": "{bad"}]'
    lines = reader.read(body.encode()).lines
    assert [(line.name, line.data) for line in lines] == [("ab", {}), ("", {})]


def test_json_as_raspisms_exports_it():
    body = [
        {"name": "Léa Martin", "number": "+33639987001", "data": {"vip": 1}},
        {"name": "Bob", "number": "x", "data": "{}"},
    ]
    [lea, bob] = reader.read(json.dumps(body).encode()).lines
    assert (lea.name, lea.number, lea.data) == ("Léa Martin", "+33639987001", {"vip": "1"})
    assert bob.number == "x"


VCARDS = """BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Martin;L=C3=A9a;;;\r
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:L=C3=A9a Martin\r
TEL;HOME:01 23 45 67 89\r
TEL;CELL:06 39 98 70 01\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:3.0\r
FN:Bob\r
N:;Bob;;;\r
TEL;TYPE=CELL:0639987002\r
BDAY:1990-02-03\r
EMAIL:bob@exemple.fr\r
END:VCARD\r
"""


def test_cards_of_telephones():
    [lea, bob] = reader.read(VCARDS.encode()).lines
    assert (lea.name, lea.number) == LEA
    assert (bob.name, bob.number, bob.data) == (*BOB, {"birthdate": "1990-02-03", "email": "bob@exemple.fr"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Aucune personne"),
        (b"\n\n", "Aucune personne"),
        (b"PK\x03\x04 not a workbook", "illisible"),
        (b"[{", "JSON"),
        (b'Nom;Mobile\nX;"0639987001\n' + b"y" * 300_000, "trop longue"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(content, words):
    with pytest.raises(Unreadable, match=words):
        reader.read(content)


def test_a_damaged_card_is_one_line_and_not_the_end():
    broken = "BEGIN:VCARD\nFN\n;;;\nEND:VCARD\n"
    lines = reader.read((broken + VCARDS).encode()).lines
    assert [line.number for line in lines] == ["", LEA[1], BOB[1]]
