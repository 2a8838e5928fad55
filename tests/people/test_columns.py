"""Which column is what: by its heading, by what it holds, and as somebody says."""

import pytest

from raspisms.people.reading import Choice, Role, Unreadable, reader
from raspisms.people.reading.headings import role_of


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("Téléphone", Role.NUMBER),
        ("N° de téléphone portable", Role.NUMBER),
        ("Votre numéro", Role.NUMBER),
        ("Phone 1 - Value", Role.NUMBER),
        ("mobilePhone", Role.NUMBER),
        ("GSM du parent", Role.NUMBER),
        ("Phone 1 - Label", None),
        ("Fax", None),
        ("Téléphone d’urgence", None),
        ("Numéro d’adhérent", None),
        ("Numéro de licence", None),
        ("Numéro de rue", None),
        ("Votre nom et votre prénom", Role.NAME),
        ("Nom complet", Role.NAME),
        ("NOM", Role.LAST_NAME),
        ("Nom de famille", Role.LAST_NAME),
        ("Prénom", Role.FIRST_NAME),
        ("Given Name", Role.FIRST_NAME),
        ("Accord SMS", Role.CONSENT),
        ("J’accepte de recevoir des SMS", Role.CONSENT),
        ("Accord e-mail", Role.DATA),
        ("Autorisation photo", Role.DATA),
        ("Date de l’accord", Role.CONSENT_DATE),
        ("Date de naissance", Role.BIRTHDAY),
        ("Né(e) le", Role.BIRTHDAY),
        ("Lieu de naissance", None),
        ("E-mail", Role.EMAIL),
        ("Ville", Role.TOWN),
        ("Commune", Role.TOWN),
        ("", None),
    ],
)
def test_headings_say_what_a_column_is(heading, role):
    assert role_of(heading) is role


def read(text, **choice):
    return reader.read(text.encode(), Choice(**choice) if choice else None)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        # A column that holds numbers and is called after none, beside one that looks like it.
        ("Numéro adhérent;Nom;Joindre\n612345678;Léa;06 39 98 70 01\n", [("Léa", "06 39 98 70 01")]),
        # A landline first and a mobile second, without titles: one person a line.
        ("Léa;0199001001;0639987001\nBob;0199001002;0639987002\n", [("Léa", "0639987001"), ("Bob", "0639987002")]),
        # A time stamp, a town, a class and an address are no names.
        ("Horodateur;Ville;Tél\n2026/09/12 6:03:22 PM;Lyon;0639987001\n", [("", "0639987001")]),
        ("Adresse e-mail;Tél\nlea@example.org;0639987001\n", [("", "0639987001")]),
        # The number of an emergency, or of a fax, is not the person's.
        ("Nom;Tél;Tél urgence\nLéa;;0639987009\n", [("Léa", "")]),
        ("Nom;Fax;Tél\nLéa;0639987009;0639987001\n", [("Léa", "0639987001")]),
        # A first line that is a person is none of titles.
        ("Léa;0639987001\nBob;0639987002\n", [("Léa", "0639987001"), ("Bob", "0639987002")]),
        # A title with a date above the titles, and a total below.
        ("Liste au 12/09/2026;\nNom;Portable\nLéa;0639987001\nTotal;1\n", [("Léa", "0639987001")]),
    ],
)
def test_the_right_columns_are_found(text, people):
    assert [(line.name, line.number) for line in read(text).lines] == people


def test_what_somebody_says_comes_first():
    text = "Qui;Joindre;Autre;Note\nLéa;0639987001;0639987002;x\n"
    assert read(text).lines[0].number == "0639987001"
    chosen = read(text, columns={"1": "left_out", "Autre": "number", "3": "remarque"}).lines[0]
    assert (chosen.name, chosen.number, chosen.data) == ("Léa", "0639987002", {"remarque": "x"})


def test_another_line_of_titles_is_taken():
    text = "A;B\nNom;Tél\nLéa;0639987001\n"
    assert [line.line for line in read(text).lines] == [3]
    assert [line.line for line in read(text, header=0).lines] == [1, 2, 3]
    assert read(text, header=3).lines == []  # nobody is left: whoever chose can choose again


def test_a_sheet_that_is_not_there_is_said():
    with pytest.raises(Unreadable, match="feuille"):
        read("<table><tr><td>Nom</td><td>Tél</td></tr><tr><td>Léa</td><td>0639987001</td></tr></table>", sheet="x")


def test_spreadsheet_markup_is_read():
    rows = "".join(
        f'<Row><Cell><Data ss:Type="String">{name}</Data></Cell><Cell ss:Index="3"><Data>{number}</Data></Cell></Row>'
        for name, number in (("Nom", "Portable"), ("Léa &amp; Bob", "639987001"))
    )
    text = f'<?xml version="1.0"?><Workbook><Worksheet ss:Name="Feuil1"><Table>{rows}</Table></Worksheet></Workbook>'
    found = read(text)
    assert (found.layout.sheet, found.lines[0].name, found.lines[0].number) == ("Feuil1", "Léa & Bob", "639987001")
