"""Every sentence in French and in English, well typed in both."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
ENGLISH = ROOT / "raspisms/translations/en/LC_MESSAGES/messages.po"
KEYWORDS = {"N_": None, "say": None, "_l": None, "_": None, "gettext": None, "ngettext": (1, 2)}
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]


@pytest.fixture(scope="module")
def sentences():
    found = extract_from_dir(ROOT / "raspisms", METHODS, keywords=KEYWORDS)
    return {message for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def english():
    with ENGLISH.open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def parts(value):
    return value if isinstance(value, tuple) else (value,)


def holes(text):
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def test_there_are_sentences(sentences):
    assert len(sentences) > 200


def test_every_sentence_has_its_english(sentences, english):
    missing = [s for s in sentences if s not in english or not all(parts(english[s]))]
    assert missing == [], "run `make translations`, then translate"


def test_no_english_is_left_over(sentences, english):
    assert [s for s in english if s not in sentences] == []


def test_both_languages_hold_the_same_values(english):
    for french, translated in english.items():
        for one, other in zip(parts(french), parts(translated), strict=True):
            assert holes(one) == holes(other), french


def test_the_compiled_catalogue_is_the_source(english):
    compiled = BytesIO()
    with ENGLISH.open("rb") as file:
        write_mo(compiled, read_po(file))
    assert sentences_of(compiled.getvalue()) == sentences_of(ENGLISH.with_suffix(".mo").read_bytes()), (
        "run `make translations`"
    )


def sentences_of(compiled):
    """What a compiled catalogue says; its header names the version of Babel that wrote it, which says nothing."""
    return [(message.id, message.string) for message in read_mo(BytesIO(compiled)) if message.id]


def test_french_is_typed_as_french_is(sentences):
    for sentence in sentences:
        for text in parts(sentence):
            assert "'" not in text, f"a typographic apostrophe is missing: {text}"
            assert not re.search(r" [:;?!»]|«[^\N{NO-BREAK SPACE}]", text), f"a no-break space is missing: {text}"


def test_templates_hold_no_bare_words():
    """A word outside of _() would stay French on an English page."""
    for path in (ROOT / "raspisms/templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        source = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", source, flags=re.S)
        text = re.sub(r"<[^>]*>", " ", source)
        words = set(re.findall(r"[A-Za-zÀ-ÿ]{3,}", text)) - {"RaspiSMS", "request_id", "request"}
        assert words == set(), f"{path.name}: {words}"


def test_no_sentence_is_translated_before_it_is_read():
    """A worker's own LANG must not decide in which language a page speaks: jobs store msgids, pages translate."""
    readers = {"blueprints", "web", "forms", "cli", "supervisor", "i18n.py", "config.py", "extensions.py"}
    # E-mails are written in the language of the person whom they go to.
    readers |= {"notices"}
    translating = []
    for path in (ROOT / "raspisms").rglob("*.py"):
        part = path.relative_to(ROOT / "raspisms").parts[0]
        if part not in readers and re.search(
            r"\b(say|gettext|ngettext|lazy_gettext|_l|translate)\(", path.read_text(encoding="utf-8")
        ):
            translating.append(str(path.relative_to(ROOT)))
    assert translating == []
