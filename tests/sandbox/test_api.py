"""The pretended Octopush behaves as docs/providers/octopush.md says that the real one does."""

import pytest
import requests

from tests.factories import KEY, LEA, LOGIN, until

HEADERS = {"api-login": LOGIN, "api-key": KEY}


def body(**changes):
    return {
        "text": "Bonjour",
        "recipients": [{"phone_number": LEA}],
        "type": "sms_premium",
        "purpose": "alert",
        "sender": "+33755551111",
        "with_replies": True,
        "request_id": "r1",
        "auto_optimize_text": False,
    } | changes


def send(octopush, headers=HEADERS, **changes):
    return requests.post(f"{octopush.url}/sms-campaign/send", json=body(**changes), headers=headers, timeout=5)


def test_a_request_is_accepted_with_a_ticket_and_its_cost(octopush):
    answer = send(octopush)
    assert answer.status_code == 200
    content = answer.json()
    assert content["sms_ticket"].startswith("sms_")
    assert len(content["sms_ticket"]) == 26
    assert content["number_of_contacts"] == 1
    assert content["total_cost"] == 0.045
    assert content["residual_credit"] == 9.955


def test_the_documented_status_can_be_chosen(octopush):
    requests.post(f"{octopush.control}/switches", json={"send_status": 201}, timeout=5)
    assert send(octopush).status_code == 201


@pytest.mark.parametrize("headers", [{}, {"api-login": LOGIN}, {"api-login": LOGIN, "api-key": "wrong"}])
def test_wrong_credentials_are_refused(octopush, headers):
    answer = send(octopush, headers)
    assert (answer.status_code, answer.json()["code"]) == (401, 101)
    balance = requests.get(f"{octopush.url}/wallet/check-balance", headers=headers, timeout=5)
    assert balance.status_code == 401


def test_basic_authentication_is_accepted(octopush):
    answer = requests.get(f"{octopush.url}/wallet/check-balance", auth=(LOGIN, KEY), timeout=5)
    assert answer.json() == {"amount": 10.0, "unit": "euros"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text": ""}, 107),
        ({"text": None}, 107),
        ({"text": "a" * 1225}, 189),
        ({"type": "sms_gold"}, 208),
        ({"recipients": []}, 103),
        ({"recipients": ["+33612345678"]}, 103),
        ({"recipients": [{"phone_number": LEA}] * 501}, 103),
        ({"purpose": "wholesale"}, 121),
        ({"purpose": "wholesale", "text": "Soldes STOP au 30101"}, None),
        ({"purpose": "wholesale", "text": "Soldes STOP au XXXXX"}, None),
        ({"sender": "ab"}, 106),
        ({"sender": "a-b-c"}, 106),
        ({"sender": "", "with_replies": "True"}, None),
        ({"sender": "Mairie"}, None),
    ],
)
def test_each_mistake_has_its_code(octopush, changes, code):
    answer = send(octopush, **changes)
    assert answer.json().get("code") == code
    assert answer.status_code == (400 if code else 200)


def test_purpose_is_advertising_unless_said_otherwise(octopush):
    content = body()
    del content["purpose"]
    answer = requests.post(f"{octopush.url}/sms-campaign/send", json=content, headers=HEADERS, timeout=5)
    assert answer.json()["code"] == 121


def test_the_same_request_id_is_refused_for_a_day(octopush):
    assert send(octopush).status_code == 200
    again = send(octopush)
    assert (again.status_code, again.json()["code"]) == (400, 182)
    octopush.switches.clock = 24 * 3600 + 1
    assert send(octopush).status_code == 200


def test_credit_runs_out(octopush):
    octopush.account(LOGIN).credit = octopush.account(LOGIN).credit * 0
    assert send(octopush).json()["code"] == 104


def test_unknown_keys_are_ignored_and_remembered(octopush):
    assert send(octopush, sms_type="sms_low_cost").status_code == 200
    assert octopush.warnings == ["unknown key 'sms_type'"]


def test_simulation_costs_and_sends_nothing(octopush):
    assert send(octopush, simulation_mode=True).json()["sms_ticket"]
    assert octopush.messages == []
    assert octopush.account(LOGIN).credit == 10


def test_balance_in_messages(octopush):
    answer = requests.get(
        f"{octopush.url}/wallet/check-balance",
        params={"country_code": "FR", "product_name": "sms_premium"},
        headers=HEADERS,
        timeout=5,
    )
    assert answer.json() == {"amount": 222, "unit": "sms_premium"}


def test_numbers_are_listed_when_the_list_exists(octopush):
    url = f"{octopush.url}/virtual-number/list"
    assert requests.get(url, headers=HEADERS, timeout=5).json()[0]["virtual_number"] == "+33755551111"
    octopush.switches.number_list = False
    assert requests.get(url, headers=HEADERS, timeout=5).status_code == 404


def test_an_unknown_sender_is_accepted_or_refused_by_a_switch(octopush):
    assert send(octopush, sender="+33611111111").status_code == 200
    octopush.switches.unknown_sender = "106"
    assert send(octopush, sender="+33611111111", request_id="r2").json()["code"] == 106


def test_callbacks_are_registered_nested_or_flat_and_judged(octopush):
    listener = f"{octopush.control}/nowhere"
    edit = f"{octopush.url}/user/campaign-parameters/edit"
    for settings in (
        {"callbacks": {"callback_url_for_deliveries": listener}},
        {"callback_url_for_deliveries": listener},
    ):
        assert requests.patch(edit, json=settings, headers=HEADERS, timeout=5).json()["callbacks"] == {
            "deliveries": listener
        }
    send(octopush)
    notes = until(lambda: len(octopush.callbacks.deliveries) == 2 and octopush.callbacks.deliveries)
    assert [note["conforming"] for note in notes] == [False, False]  # a 404 page is no empty 200


def test_somebody_who_said_stop_gets_a_ticket_and_a_refusal(octopush):
    requests.post(
        f"{octopush.control}/replies",
        json={"login": LOGIN, "number": LEA, "to": "+33755551111", "text": "stop"},
        timeout=5,
    )
    assert send(octopush).json()["sms_ticket"]
    assert octopush.messages[-1].status == "BLACKLISTED_NUMBER"


def test_low_cost_messages_get_no_report(octopush):
    octopush.account(LOGIN).callbacks = {"deliveries": f"{octopush.control}/nowhere"}
    send(octopush, type="sms_low_cost")
    assert octopush.messages[-1].status == ""


# -- what the official client sends -----------------------------------------------------------------------


def test_null_is_absent_and_a_number_may_be_a_number(octopush):
    answer = send(octopush, recipients=[{"phone_number": int(LEA)}, {"phone_number": "+33 6 39 98 00 99"}], type=None)
    assert (answer.status_code, answer.json()["number_of_contacts"]) == (200, 2)
    refused = send(octopush, purpose=None, request_id="r2")  # which is wholesale, and that wants its STOP mention
    assert refused.json()["code"] == 121
    accepted = send(octopush, purpose=None, request_id="r3", text="Soldes ! STOP au XXXXX")
    assert accepted.status_code == 200


def test_each_recipient_may_have_a_text_of_their_own(octopush):
    people = [{"phone_number": LEA, "param1": "Léa", "param2": 3}, {"phone_number": "+33639980099", "param1": "Tom"}]
    answer = send(octopush, recipients=people, text="Bonjour {param1}, {param2} places")
    assert answer.status_code == 200
    state = requests.get(f"{octopush.control}/state", timeout=5).json()
    assert [sms["text"] for sms in state["messages"]] == ["Bonjour Léa, 3 places", "Bonjour Tom, {param2} places"]


def test_a_simulation_needs_no_credit_and_leaves_nothing(octopush):
    requests.post(f"{octopush.control}/credit", json={"login": LOGIN, "credit": 0}, timeout=5)
    assert send(octopush).json()["code"] == 104
    answer = send(octopush, simulation_mode=True)
    assert answer.json()["sms_ticket"].startswith("sms_")
    state = requests.get(f"{octopush.control}/state", timeout=5).json()
    assert state["messages"] == []


def test_what_is_planned_is_reported_later(octopush):
    later = {"send_at": "2099-01-01 10:00:00"}
    assert send(octopush, **later).status_code == 200
    assert send(octopush, request_id="r2", send_at="2021-01-01T10:00:00+01:00").status_code == 200
    assert send(octopush, request_id="r3", send_at="demain").json()["code"] == 100


def test_the_balance_with_its_details(octopush):
    url = f"{octopush.url}/wallet/check-balance"
    answer = requests.get(url, params={"with_details": "1"}, headers=HEADERS, timeout=5).json()
    assert answer["wallet_packs"][0]["credit"] == 10


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "10.0.0.1"])
def test_another_host_is_not_answered(octopush, host):
    answer = requests.get(f"{octopush.control}/state", headers={"Host": host}, timeout=5)
    assert answer.status_code == 403
