"""raspisms contacts: lists in and out as scripts call it, with names that stay."""

import json

import pytest

from tests.cli.conftest import CASES

TWO_SHEETS = str(CASES / "17-first-sheet-is-a-note.xlsx")
CONSENTS = str(CASES / "38-consent-columns.csv")


def imported(raspisms, *arguments):
    return json.loads(raspisms("contacts", "import", *arguments, "--json"))


def test_a_list_is_shown_then_stored(raspisms):
    shown = imported(raspisms, CONSENTS)
    assert shown["counts"] == dict.fromkeys(("known", "changed", "repaired", "double", "left_out", "wrong"), 0) | {
        "new": 5
    }
    lea = shown["lines"][0]
    assert (lea["line"], lea["number"], lea["name"], lea["verdict"]) == (2, "+33639987001", "Léa Martin", "new")
    assert (lea["consent"], lea["proof"]) == (True, "Accord SMS : oui, 03/09/2026")
    assert json.loads(raspisms("contacts", "export", "--json")) == []
    assert imported(raspisms, CONSENTS, "--apply")["counts"]["new"] == 5
    assert imported(raspisms, CONSENTS)["counts"]["known"] == 5
    exported = json.loads(raspisms("contacts", "export", "--json"))
    assert [(one["name"], one["number"]) for one in exported][:1] == [("Léa Martin", "+33639987001")]
    assert "Zoé Petit;+33639987003;" in raspisms("contacts", "export")


def test_what_is_chosen_is_read(raspisms):
    shown = imported(raspisms, TWO_SHEETS)
    assert shown["sheets"] == ["Lisez-moi", "Parents"]
    assert (shown["sheet"], shown["header"]) == ("Parents", 1)
    assert "Parents" in shown["said"][0]
    note = imported(raspisms, TWO_SHEETS, "--sheet", "Lisez-moi")
    assert {line["verdict"] for line in note["lines"]} == {"wrong"}
    assert "pas de feuille" in raspisms("contacts", "import", TWO_SHEETS, "--sheet", "Autre", status=1)


def test_columns_are_what_is_said_of_them(raspisms, tmp_path):
    path = tmp_path / "liste.csv"
    path.write_text("Qui;Joindre;Domicile;Note\nLéa;01 99 00 10 01;06 39 98 70 01;un\n", encoding="utf-8")
    read = imported(raspisms, str(path))["lines"][0]
    assert (read["number"], read["data"]["Joindre"]) == ("+33639987001", "+33199001001")
    chosen = imported(
        raspisms, str(path), "--map", "domicile=left_out", "--map", "4=remarque", "--map", "NOTE=remarque"
    )
    assert (chosen["lines"][0]["number"], chosen["lines"][0]["verdict"]) == ("+33199001001", "left_out")
    assert chosen["lines"][0]["data"] == {"remarque": "un"}
    assert "Aucune colonne" in raspisms("contacts", "import", str(path), "--map", "Rien=name", status=1)
    assert "COLONNE=CLÉ" in raspisms("contacts", "import", str(path), "--map", "Rien", status=1)
    assert json.loads(raspisms("contacts", "export", "--json")) == []


@pytest.mark.parametrize("header", ["0", "2"])
def test_the_line_of_titles_is_chosen(raspisms, header):
    lines = "Nom;Portable\nLéa;06 39 98 70 01\nBob;06 39 98 70 02\n"
    found = json.loads(raspisms("contacts", "import", "-", "--header", header, "--json", stdin=lines))
    assert [line["line"] for line in found["lines"]] == ([1, 2, 3] if header == "0" else [3])
    assert found["lines"][0]["verdict"] == ("wrong" if header == "0" else "new")


def test_what_cannot_be_read_is_said_and_leaves_nothing(raspisms, tmp_path):
    path = tmp_path / "liste.xlsx"
    path.write_bytes(b"PK\x03\x04 not a workbook")
    assert "illisible" in raspisms("contacts", "import", str(path), status=1)
    assert "ne peut pas être lu" in raspisms("contacts", "import", str(tmp_path / "absent"), status=1)
    assert "Rien n’est enregistré" in raspisms("contacts", "import", CONSENTS)
