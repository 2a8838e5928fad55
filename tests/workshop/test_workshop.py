"""What members and strangers write is worked on elsewhere: whatever it asks for, whoever serves pages goes on."""

import ast
import io
import os
import signal
import time
import zipfile
from pathlib import Path

import pytest

from raspisms import workshop
from raspisms.language import Mistake
from raspisms.language.remote import Condition, Text
from raspisms.people import files
from raspisms.people.reading import Unreadable
from raspisms.workshop import client as workshop_client
from raspisms.workshop import crafts
from tests.factories import LEA, csrf

DOUBLED = "{% set a={'k':1} %}{% set b={'k':1} %}" + "".join(
    "{% set a={'k':a,'l':a} %}{% set b={'k':b,'l':b} %}" for _ in range(60)
)
ENDLESS = {
    "dictionaries doubled sixty times": DOUBLED + "{{ a == b }}",
    "a thousand looks into a range": "".join("{{ 'x' in 1..20000 }}" for _ in range(140)),
    "a text that grows": "{% set a='x' * 20000 %}{% for i in 1..10000 %}{% set a = a ~ a %}{% endfor %}{{ a }}",
    "an infinite number": "{{ 1e999|round(1) }}",
    "a number of five thousand digits": "{{ " + "9" * 5000 + " }}",
    "a function": "{{ lower }}",
    "loops in loops": "".join(f"{{% for {i} in 1..1000 %}}" for i in "abc") + "{% endfor %}" * 3,
    "a pattern that never ends": "{{ ('a' * 5000) matches '/(a+)+$b/' }}",
}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_every_text_ends_soon_with_a_sentence(text):
    begun = time.monotonic()
    with pytest.raises(Mistake) as caught:
        Text(text).fill({}, {})
    assert caught.value.sentence
    assert time.monotonic() - begun < 10
    assert Text("Bonjour {{ contact.x }}").fill({"x": "Léa"}, {}).text == "Bonjour Léa"


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS.keys())
def test_no_preview_stops_the_pages(client, get, text):
    form = {"csrf_token": csrf(client, "/messages/new?campaign=1"), "text": text, "numbers": LEA}
    begun = time.monotonic()
    answer = client.post("/campaigns/preview", data=form)
    assert answer.status_code == 200
    assert time.monotonic() - begun < 10
    assert get("/messages/").title


def test_a_rule_that_takes_too_long_holds_for_nobody_or_is_a_mistake():
    """A rule has always been false for whom it cannot be computed."""
    rule = " || ".join("'x' in 1..20000" for _ in range(140))
    assert not any(Condition(rule).hold_many([({}, {})] * 3))


def forever(_payload):
    """A craft that nothing of ours interrupts: it is all in C."""
    yield "one"
    yield 10 ** (10**9)


def hungry(_payload):
    yield "one"
    yield len(bytearray(2**34))


def crashing(_payload):
    yield "one"
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def crafts_of_ours(monkeypatch):
    """The child is a fork of this process here, so that it knows these."""
    import socket

    from raspisms.workshop import child

    for name in ("forever", "hungry", "crashing"):
        monkeypatch.setitem(crafts.CRAFTS, name, f"{__name__}:{name}")

    def new():
        ours, theirs = socket.socketpair()
        if not os.fork():
            ours.close()
            child.serve(theirs)
            os._exit(0)
        theirs.close()
        return workshop_client.Child(ours, None)

    monkeypatch.setattr(workshop_client, "_new", new)
    monkeypatch.setattr(workshop_client, "_idle", [])


@pytest.mark.parametrize("name", ["forever", "hungry", "crashing"])
def test_the_kernel_ends_what_nothing_else_does(crafts_of_ours, name):
    begun = time.monotonic()
    found = []

    def ask():
        found.extend(workshop.ask(name, None, workshop.Limits(seconds=0.5, memory=2**28)))

    with pytest.raises(workshop.Ended):
        ask()
    assert time.monotonic() - begun < 15
    assert found in ([], ["one"])  # what came before its end


def test_what_was_asked_of_a_child_that_died_meanwhile_is_asked_again():
    assert Text("a{{ 1 }}").fill({}, {}).text == "a1"
    for idle in workshop_client._idle:
        os.kill(idle._pid, 9)
    assert Text("b{{ 1 }}").fill({}, {}).text == "b1"


def test_many_people_are_filled_in_order_and_one_mistake_is_one_person_s():
    people = [({"n": str(n)}, {}) for n in range(1200)]
    found = list(Text("{{ 100 // contact.n }}").fill_many(people))
    assert isinstance(found[0], Mistake)
    assert [one.text for one in found[1:4]] == ["100", "50", "33"]
    assert len(found) == 1200


# -- files -------------------------------------------------------------------------------------------------


def sheet(cells, dimension="A1:A1"):
    """An xlsx with these cells and nothing else."""
    rows = "".join(f'<row r="{r}"><c r="{c}{r}" t="inlineStr"><is><t>{v}</t></is></c></row>' for c, r, v in cells)
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
            'package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxml'
            'formats-officedocument.spreadsheetml.sheet.main+xml"/></Types>',
        )
        packed.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
            'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        packed.writestr(
            "xl/workbook.xml",
            '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.'
            'openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/>'
            "</sheets></workbook>",
        )
        packed.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship '
            'Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" '
            'Target="worksheets/sheet1.xml"/></Relationships>',
        )
        packed.writestr(
            "xl/worksheets/sheet1.xml",
            f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="{dimension}'
            f'"/><sheetData>{rows}</sheetData></worksheet>',
        )
    return found.getvalue()


def bomb():
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b"<a/>" * 150_000_000)
    return found.getvalue()


STOPPING = {
    "one cell at the far corner": sheet([("A", 1, "0639987001"), ("XFD", 1048576, "x")], "A1:XFD1048576"),
    "a corner that is only told": sheet([("XFD", 1048576, "x")], "A1:A1"),
    "cards that never end": b"BEGIN:VCARD\n" * 29_000,
    "a zip that is no zip": b"PK\x03\x04" + b"\0" * 1000,
}


@pytest.mark.parametrize("content", STOPPING.values(), ids=STOPPING.keys())
def test_a_small_file_stops_nobody(content):
    assert len(content) < 400_000
    begun = time.monotonic()
    with pytest.raises(Unreadable) as caught:
        files.read(content)
    assert str(caught.value)
    assert time.monotonic() - begun < 15


def test_a_bomb_is_refused_before_it_is_opened():
    with pytest.raises(Unreadable) as caught:
        files.read(bomb())
    assert "démesuré" in str(caught.value)


def test_an_honest_workbook_is_read():
    [line] = files.read(sheet([("A", 1, "0639987001")])).lines
    assert line.number == "0639987001"


def test_the_page_answers_at_once_and_the_import_says_why(app, client, send_form_file, run_jobs, get):
    begun = time.monotonic()
    answer = send_form_file(STOPPING["one cell at the far corner"])
    assert answer.status_code == 302
    assert time.monotonic() - begun < 2
    assert "Lecture du fichier" in get("/imports/1").text
    run_jobs()
    assert "CSV" in get("/imports/1").find(class_="notice").text


@pytest.fixture
def send_form_file(client):
    def send(content):
        file = (io.BytesIO(content), "liste.xlsx")
        return client.post("/imports/new", data={"file": file, "csrf_token": csrf(client, "/imports/new")})

    return send


# -- the promise itself ---------------------------------------------------------------------------------------


def test_nobody_else_runs_what_people_wrote():
    """The engine of rules and texts, and the readers of files, are imported by the child's crafts alone."""
    package = Path(workshop.__file__).parents[1]
    allowed = {"language"}
    for path in package.rglob("*.py"):
        place = str(path.relative_to(package))
        if place.startswith(("language/", "people/reading/")) or place in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert not (node.module or "").endswith("language") or not names & {"Template", "Rule"}, place
                assert "python_calamine" not in (node.module or ""), place
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                assert called not in {"reader.read", "reader.read_text"}, f"{place} reads a stranger's list itself"
