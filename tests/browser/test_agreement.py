"""Browser and server agree on what makes a campaign, and on how many people were typed."""

import unicodedata

import pytest
from werkzeug.datastructures import MultiDict

from raspisms.extensions import db
from raspisms.forms.compose import MANY, ComposeForm
from raspisms.messages.outgoing import clean
from raspisms.models import Phone
from raspisms.sms import phone_numbers, segments
from raspisms.team import preferences
from tests.browser.conftest import sign_in

pytestmark = pytest.mark.browser

ONE = "06 39 98 70 01"
TYPED = [
    ONE,
    "06 39 98 70 01\n06.39.98.70.02, +33639987003; 0033639987004",
    "0639987001 0639987002",
    "0639987001 0639987002 0639987003",
    "0639987001 +33639987001",
    "06 39 98 70 01, +33 6 39 98 70 01; 06.39.98.70.01",
    "06 39 98 70 01, 0639987001, +33 6 39 98 70 01",
    "\n".join(f"06399{n:05}" for n in range(500)),
    "\n".join(f"06399{n:05}" for n in range(501)),
    "0692 00 00 01, +262 692 00 00 01; 00262692000001\n0639 00 00 08\n0690000003 +590690000003",
    "06\u202f39\u202f98\u202f70\u202f01, +33\u200e6 39 98 70 01",
    "06\u00b739\u00b798\u00b770\u00b701\n06\u200b39\u206098\u201170\u201101",
    "\uff10\uff16\uff13\uff19\uff19\uff18\uff17\uff10\uff10\uff11\n06\t39\t98\t70\t01",
    "numéro;prénom\n0639987001;Léa",
]
FILLED = [
    {},
    {"starts_at": "2027-01-04T10:00"},
    {"hours": "strict"},
    {"hours": "free"},
    {"repeats": "weekly"},
    {"canary": "20"},
    {"purpose": "information"},
    {"purpose": "advertising"},
    {"text": "Bonjour {{ contact.name }}"},
    {"text": "Bonjour {"},
    {"tag": "fête"},
    {"expires_at": "2027-01-04T10:00"},
]
# What leaves at once, with or without it.
BY_HAND = [
    {},
    {"purpose": "information"},
    {"text": "Bonjour {"},
    {"tag": "fête"},
    {"expires_at": "2027-01-04T10:00"},
]
# Fills the fields as they are, wherever the page has put them, and says what both sides make of it.
# The page was asked for as that of a campaign, to have all its fields: that it was so must not decide.
FILL = """fields => {
  compose.querySelectorAll("[name=as_campaign]").forEach((asked) => asked.remove());
  for (const [name, value] of Object.entries(fields))
    for (const field of compose.querySelectorAll(`[name=${name}]`))
      if (/radio|checkbox/.test(field.type)) field.checked = field.value === value; else field.value = value;
  const sent = [...new FormData(compose).entries()].filter(([, value]) => typeof value === "string");
  return [isCampaign(), typedPeople(), sent];
}"""


@pytest.fixture
def composer(person, tree):
    with person() as somebody:
        sign_in(somebody, tree)
        yield somebody.open("/messages/new?campaign=1")


def of_the_server(app, sent):
    fields = MultiDict([(name, value) for name, value in sent if name != "csrf_token"])
    fields["phone"] = "1"
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/messages/new", method="POST", data=fields):
        form = ComposeForm([db.session.get(Phone, 1)])
        form.validate()
        return form.is_campaign, len(form.numbers)


def test_both_count_a_text_as_it_is_sent(composer):
    """Accents that a Mac writes as two characters look the same, and cost the same."""
    written = "Réunion décalée à l'école : prévenez les élèves, merci. " * 2
    for text in (written, unicodedata.normalize("NFD", written), "S\u0332T\u0332O\u0332P"):
        parts = composer.evaluate(
            "text => { compose.elements.text.value = text; return countSegments(outgoing()).parts; }", text
        )
        assert parts == segments.count(clean(text)).parts, text


def test_both_count_where_people_write_other_national_numbers(app, phone, tree, composer):
    typed = "0470 12 34 56, +32 470 12 34 56\n0471123456"
    there = composer.evaluate(
        "typed => { agreed.campaignHome = '32'; compose.elements.to.value = typed; return typedPeople(); }", typed
    )
    with app.app_context():
        preferences.save(preferences.Choices(default_country="BE", preferred_countries=("FR",)))
        assert phone_numbers.home_code() == "32"
        assert there == len({phone_numbers.parse(one) for one in phone_numbers.split(typed)}) == 2


def test_both_know_what_makes_a_campaign(app, phone, composer):
    campaigns = []
    for changes in FILLED:
        composer.goto(composer.url)
        there, _, sent = composer.evaluate(FILL, {"to": ONE, "text": "Bonjour"} | changes)
        here, _ = of_the_server(app, sent)
        assert here == there, changes
        campaigns += [changes] if here else []
    assert campaigns == [one for one in FILLED if one not in BY_HAND]


def test_both_count_the_same_people(app, phone, composer):
    for typed in TYPED:
        there, people, sent = composer.evaluate(FILL, {"to": typed, "text": "Bonjour"})
        here, numbers = of_the_server(app, sent)
        assert here == there == (numbers > MANY or typed.startswith("numéro")), typed[:60]
        if not typed.startswith("numéro"):
            assert people == numbers == len({phone_numbers.parse(one) for one in phone_numbers.split(typed)})
