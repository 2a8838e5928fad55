"""docs/providers/octopush.md §7 and §8, value by value."""

import json
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from raspisms.adapters.base import Callback, Ignored, OptOutNotice, Outcome, Reply, Report, UnreadableCallback
from raspisms.adapters.octopush.adapter import OctopushVirtualNumber

PARIS = ZoneInfo("Europe/Paris")
REPORT = {
    "message_id": "sms_5fec89fe97109",
    "number": "+33612345678",
    "status": "DELIVERED",
    "delivery_date": "2021-06-18 14:03:22",
}
REPLY = {
    "message_id": "sms_5fec89fe97109",
    "number": "+33612345678",
    "text": "Oui merci",
    "sim_card_number": "+33755551111",
    "reception_date": "2021-06-18 14:05:10",
}


def read(body, content_type="application/json", query=""):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return OctopushVirtualNumber.read_callback(Callback(body, content_type, query, PARIS))


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("ACK", Outcome.UNDER_WAY),
        ("PROCESSED", Outcome.UNDER_WAY),
        ("TRANSMITTED", Outcome.UNDER_WAY),
        ("ISP_SEND", Outcome.UNDER_WAY),
        ("DELIVERED", Outcome.DELIVERED),
        (" delivered ", Outcome.DELIVERED),
        ("READ", Outcome.DELIVERED),
        ("OPENED", Outcome.DELIVERED),
        ("CLICKED", Outcome.DELIVERED),
        ("NOT_DELIVERED", Outcome.FAILED),
        ("NOT_ALLOWED", Outcome.FAILED),
        ("BLACKLISTED_NUMBER", Outcome.FAILED),
        ("BAD_DESTINATION", Outcome.FAILED),
        ("EXPIRED", Outcome.FAILED),
        ("OUT_OF_DATE", Outcome.FAILED),
        ("ANTI_FLOODING", Outcome.FAILED),
        ("INVALID_DESTINATION_ADDRESS", Outcome.FAILED),
        ("SPAM_PRESUMPTION", Outcome.FAILED),
        ("NOT_DELIVERABLE", Outcome.FAILED),
        ("BUSY", Outcome.FAILED),
        ("REFUSED", Outcome.FAILED),
        ("UNKNOWN_DELIVERY", Outcome.UNDECIDED),
        ("UNDEFINED", Outcome.UNDECIDED),
        ("SOMETHING_NEW", Outcome.UNDECIDED),
    ],
)
def test_every_status_has_its_class(word, outcome):
    [report] = read(REPORT | {"status": word})
    assert report.outcome is outcome
    assert report.words == word.strip().upper()
    assert (report.reason is None) == (outcome is Outcome.DELIVERED)


def test_a_report_is_read():
    [report] = read(REPORT)
    assert report == Report(
        provider_id="sms_5fec89fe97109",
        number="+33612345678",
        outcome=Outcome.DELIVERED,
        words="DELIVERED",
        reason=None,
        at=datetime(2021, 6, 18, 12, 3, 22, tzinfo=UTC),  # Paris, in summer
    )


def test_a_reply_is_read():
    [reply] = read(REPLY)
    assert reply == Reply(
        number="+33612345678",
        text="Oui merci",
        received_by="+33755551111",
        provider_id="sms_5fec89fe97109",
        at=datetime(2021, 6, 18, 12, 5, 10, tzinfo=UTC),
    )


def test_an_opt_out_is_read():
    [notice] = read({"message_id": "", "number": "+33612345678", "text": "stop", "stop_date": "2021-01-18 14:06:00"})
    assert notice == OptOutNotice("+33612345678", "stop", datetime(2021, 1, 18, 13, 6, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "0", "😀 ça va", "x" * 1600, "a&b=c+d", " espaces "])
def test_every_text_is_a_text(text):
    [from_json] = read(REPLY | {"text": text})
    form = "&".join(f"{key}={quote(value, safe='')}" for key, value in (REPLY | {"text": text}).items()).encode()
    [from_form] = read(form, "application/x-www-form-urlencoded")
    assert from_json.text == from_form.text == text


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(REPORT).encode("utf-8-sig"),
        json.dumps([REPORT]).encode(),
        json.dumps(json.dumps(REPORT)).encode(),
        b"\n  " + json.dumps(REPORT).encode() + b"\n",
        json.dumps(REPORT | {"meta_data": [], "list_name": None, "channel": "sms", "unit_price": 0.05}).encode(),
        json.dumps({"meta_data": {"message_id": REPORT["message_id"]}} | REPORT | {"message_id": None}).encode(),
        json.dumps(REPORT | {"number": "33612345678"}).encode(),
        json.dumps(REPORT | {"number": "0033612345678"}).encode(),
        json.dumps(REPORT | {"number": " 33612345678"}).encode(),
        json.dumps(REPORT | {"number": 33612345678}).encode(),
        b"message_id=sms_5fec89fe97109&number=%2B33612345678&status=DELIVERED&delivery_date=2021-06-18+14%3A03%3A22",
        b"message_id=sms_5fec89fe97109&number=+33612345678&status=DELIVERED&delivery_date=2021-06-18 14:03:22",
        b"sms_ticket=sms_5fec89fe97109&number=33612345678&delivery_status=delivered&delivery_date=2021-06-18T14:03:22",
    ],
)
@pytest.mark.parametrize(
    "content_type", ["", "application/json", "application/x-www-form-urlencoded", "text/html; charset=iso-8859-1"]
)
def test_a_report_is_the_same_in_every_dress(body, content_type):
    assert read(body, content_type) == read(REPORT)


def test_multipart_is_read():
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in REPORT.items()
    )
    assert read((parts + "--x--\r\n").encode(), "multipart/form-data; boundary=x") == read(REPORT)


def test_the_query_is_read_when_the_body_is_empty():
    query = "message_id=sms_5fec89fe97109&number=%2B33612345678&status=DELIVERED&delivery_date=2021-06-18+14:03:22"
    assert read(b"", "", query) == read(REPORT)


@pytest.mark.parametrize(
    "encoded", ["ça été".encode("cp1252"), b"%E7a %E9t%E9", "ça été".encode(), b"%C3%A7a+%C3%A9t%C3%A9"]
)
def test_accents_survive_every_encoding_of_a_form(encoded):
    body = b"number=33612345678&sim_card_number=33755551111&reception_date=2021-06-18 14:05:10&text=" + encoded
    [reply] = read(body, "")
    assert reply.text == "ça été"


@pytest.mark.parametrize(
    ("date", "utc"),
    [
        ("2021-01-18 14:05:10", datetime(2021, 1, 18, 13, 5, 10, tzinfo=UTC)),
        ("2021-06-18T14:05:10+01:00", datetime(2021, 6, 18, 13, 5, 10, tzinfo=UTC)),
        ("2021-06-18T14:05:10Z", datetime(2021, 6, 18, 14, 5, 10, tzinfo=UTC)),
        ("le 18 juin", None),
        ("0001-01-01 00:00:00", None),
    ],
)
def test_dates_without_a_zone_are_paris(date, utc):
    [reply] = read(REPLY | {"reception_date": date})
    assert reply.at == utc


def test_the_older_date_key_tells_a_reply():
    older = {key: value for key, value in REPLY.items() if key != "reception_date"}
    [reply] = read(older | {"answer_date": "2021-06-18 14:05:10"})
    assert reply == read(REPLY)[0]


def test_without_any_date_the_fields_tell_the_kind():
    assert isinstance(read({"message_id": "t", "number": "+33612345678", "status": "ACK"})[0], Report)
    assert isinstance(read({"number": "+33612345678", "text": "oui"})[0], Reply)
    assert isinstance(read({"number": "+33612345678", "visit_date": "2021-06-18 14:05:10"})[0], Ignored)
    assert isinstance(read({"status": "DELIVERED"})[0], Ignored)


def test_a_list_keeps_its_order():
    assert [type(item) for item in read([REPORT, REPLY, REPORT | {"status": "ACK"}])] == [Report, Reply, Report]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01\x02\xff",
        b'{"message_id": "sms_1", "num',
        b"<html>hello</html>",
        b"12",
        b'["a", "b"]',
        b"[" * 100_000,
        b"hello=world",
    ],
)
def test_what_nobody_could_mean_is_unreadable(body):
    with pytest.raises(UnreadableCallback):
        read(body, "")


def test_whose_number_it_is_depends_on_what_is_said_of_it():
    """A report is of the number that we wrote to, our own number is as the phone has it; who writes is who has it."""
    date, number = "2026-11-24 10:00:00", {"number": "33692000001"}
    said = number | {"reception_date": date, "text": "Oui", "sim_card_number": "33692000009"}
    [reply] = read(said)
    assert (reply.number, reply.received_by) == ("+262692000001", "+33692000009")
    [stop] = read(number | {"stop_date": date})
    assert stop.number == "+262692000001"
    [report] = read(REPORT | number)
    assert report.number == "+33692000001"
