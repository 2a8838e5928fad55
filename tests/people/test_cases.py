"""Lists as offices have them: each file of `cases/` goes in through the page and gives the right people, no other."""

import io
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import select

from raspisms.extensions import db
from raspisms.i18n import translate
from raspisms.models import Contact, Import, ImportLine, ImportState, Verdict
from raspisms.people import imports
from raspisms.sms.folding import fold
from tests import factories

CASES = Path(__file__).parent / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text(encoding="utf-8"))
STORED = (Verdict.NEW, Verdict.CHANGED)


@pytest.fixture
def bring(app, client, run_jobs):
    """Bring a file, as somebody does with a browser; gives the import, read and compared."""

    def bring(name):
        file = (io.BytesIO((CASES / name).read_bytes()), name)
        form = {"file": file, "csrf_token": factories.csrf(client, "/imports/new"), "origin": "", "consent": ""}
        answer = client.post("/imports/new", data=form, content_type="multipart/form-data")
        assert answer.status_code == 302
        run_jobs()
        return db.session.scalar(select(Import).order_by(Import.id.desc()).limit(1))

    with app.app_context():
        yield bring
        db.session.rollback()


def lines_of(found, *verdicts):
    query = select(ImportLine).where(ImportLine.import_id == found.id).order_by(ImportLine.id)
    return [line for line in db.session.scalars(query) if not verdicts or line.verdict in verdicts]


def sentences(found):
    said = [*found.layout["said"], *(pair for line in lines_of(found) for pair in line.raw.get("said", []))]
    said += [(line.reason, {}) for line in lines_of(found) if line.reason]
    return [translate("fr", sentence, **values) for sentence, values in said]


def values_of(lines, key):
    """What people's data hold under a key, whatever its case and accents."""
    found = [{fold(name): value for name, value in line.raw["data"].items()}.get(fold(key)) for line in lines]
    return [value for value in found if value is not None]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_list_gives_the_right_people(bring, client, name):
    expected, found = EXPECTED[name], bring(name)
    assert found.state is ImportState.READY
    check_people(found, expected)
    check_data(lines_of(found), expected)
    said = sentences(found)
    for words in expected.get("said", []):
        assert any(re.search(words, sentence) for sentence in said), (words, said)
    page = client.get(f"/imports/{found.id}").text
    for sheet in expected.get("sheets", []):
        assert sheet in page
    for line in lines_of(found):
        assert not re.search(r"\ufffd|[<>]|\d{6}|Horodateur|Portable", line.name), line.name


def check_people(found, expected):
    """The right people, each at their number, and nobody else."""
    lines = lines_of(found, *STORED)
    assert [line.number for line in lines] == [number for number, _ in expected["people"]]
    for line, (_, person) in zip(lines, expected["people"], strict=True):
        assert person in (None, line.name)
    assert [line.number for line in lines if line.repaired] == expected.get("repaired", [])
    left_out = [[line.number or line.raw["number"], line.name] for line in lines_of(found, Verdict.LEFT_OUT)]
    assert left_out == expected.get("left_out", [])
    wrong = [[line.raw["number"], line.name] for line in lines_of(found, Verdict.WRONG)]
    assert sorted(wrong) == sorted(expected.get("wrong", []))
    assert [line.line for line in lines_of(found, Verdict.DOUBLE)] == expected.get("double", [])


def check_data(lines, expected):
    """What the list says of them besides."""
    kept = [value for line in lines for value in line.raw["data"].values()]
    for number in expected.get("data", []):
        assert any(number in value for value in kept), number
    for key, values in expected.get("values", {}).items():
        assert values_of(lines, key) == values


def test_consent_comes_in_with_its_proof(bring, client, run_jobs):
    name = "38-consent-columns.csv"
    found, expected = bring(name), EXPECTED["38-consent-columns.csv"]
    lines = lines_of(found)
    assert [line.raw.get("agreed") for line in lines] == expected["agreed"]
    for line, proof in zip(lines, expected["proofs"], strict=True):
        assert re.search(proof, line.raw.get("proof", ""))
    imports.apply(found.id)
    run_jobs()
    consents = {contact.name: contact for contact in db.session.scalars(select(Contact))}
    agreed = {name: bool(contact.consent) for name, contact in consents.items()}
    assert agreed == {"Léa Martin": True, "Bob Durand": False, "Zoé Petit": True, "Max Leroy": False, "Ida Roux": True}
    assert name in consents["Léa Martin"].consent
    assert f"{consents['Léa Martin'].consent_at:%d/%m/%Y}" == "03/09/2026"


def test_every_case_is_tried():
    assert sorted(EXPECTED) == sorted(path.name for path in CASES.iterdir() if path.name != "expected.json")
