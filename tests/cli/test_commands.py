"""The commands, as scripts call them: real processes, real files."""

import json
from pathlib import Path

import pytest

from tests.databases import raw
from tests.factories import KEY, LEA, LOGIN, NUMBER

ADD = ("phone", "add", "Mairie", "--adapter", "octopush_virtual_number", f"login={LOGIN}", f"number={NUMBER}")


def test_a_whole_day_without_up(raspisms, octopush):
    assert "à jour" in raspisms("db", "upgrade")
    assert "peut se connecter" in raspisms(
        "user", "add", "lea@exemple.fr", "--role", "admin", "--password-stdin", stdin="une phrase facile\n"
    )
    phone = json.loads(raspisms(*ADD, f"api_key={KEY}", "sms_type=low_cost", "--json"))
    assert set(phone) == {"id", "name", "callbacks"}
    assert phone["callbacks"]["status"].startswith("http://127.0.0.1:8001/callbacks/")
    assert phone["callbacks"]["reception"].endswith("/reception")

    sent = json.loads(raspisms("send", "--phone", "Mairie", "--text", "Bonjour", LEA, "--wait", "--json"))
    assert sent["opted_out"] == []
    [message] = sent["messages"]
    assert message["status"] == "sent"
    assert message["number"] == LEA
    assert octopush.requests[0]["body"]["type"] == "sms_low_cost"
    shown = json.loads(raspisms("message", "show", str(message["id"]), "--json"))
    assert shown["ticket"] == octopush.messages[0].ticket
    assert [event["status"] for event in shown["events"]] == ["queued", "sending", "sent"]
    assert "Envoyé" in raspisms("message", "show", str(message["id"]))


def test_a_fresh_instance_is_made_by_any_command(raspisms):
    raspisms(*ADD, f"api_key={KEY}")
    with raw(raspisms.database) as database:
        assert database.exec_driver_sql("SELECT name FROM phones").scalars().all() == ["Mairie"]
    assert oct((raspisms.instance / "secret.key").stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*ADD, "api_key=wrong"), "Octopush a refusé l’identifiant ou la clé."),
        ((*ADD, "api_key=k", "colour=blue"), "« colour » n’est pas un réglage"),
        ((*ADD, "api_key"), "n’est pas de la forme nom=valeur"),
        (ADD, "api_key: Remplissez ce champ."),
        (("phone", "add", "x", "--adapter", "ovh", "a=b"), "Aucun adaptateur ne s’appelle « ovh »."),
        (("send", "--phone", "x", "--text", "y", LEA), "Aucun téléphone ne s’appelle « x »."),
        (("message", "show", "9"), "Aucun message n’a le numéro 9."),
    ],
)
def test_each_mistake_has_its_sentence(raspisms, arguments, words):
    assert words in raspisms(*arguments, status=1).replace("\xa0", " ")


def test_a_name_is_taken_once(raspisms):
    raspisms(*ADD, f"api_key={KEY}")
    assert "déjà utilisé" in raspisms(*ADD, f"api_key={KEY}", status=1)


def test_no_test_saves_without_asking(raspisms):
    raspisms(*ADD, "api_key=whatever", "--no-test", RASPISMS_OCTOPUSH_URL="http://127.0.0.1:9")
    with raw(raspisms.database) as database:
        assert database.exec_driver_sql("SELECT name, status FROM phones").all() == [("Mairie", "unverified")]


def test_wrong_numbers_are_named_and_nothing_leaves(raspisms, octopush):
    raspisms(*ADD, f"api_key={KEY}")
    said = raspisms("send", "--phone", "Mairie", "--text", "Bonjour", LEA, "12", "Jean", status=1)
    assert "12, Jean" in said
    assert octopush.requests == []


def test_a_refused_message_ends_with_an_error(raspisms):
    raspisms(*ADD, f"api_key={KEY}")
    raspisms("send", "--phone", "Mairie", "--text", "Bonjour", "+33639980136", "--wait", status=1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"RASPISMS_PROT": "1"}, "RASPISMS_PROT n’est pas un réglage de RaspiSMS."),
        ({"RASPISMS_PORT": "8001"}, "trois ports différents"),
        ({"RASPISMS_PORT": "x"}, "RASPISMS_PORT est mal réglé"),
    ],
)
@pytest.mark.parametrize("command", [("up",), ("db", "upgrade"), ("message", "show", "1"), ("sandbox",)])
def test_wrong_settings_stop_every_command(raspisms, command, more, words):
    assert words in raspisms(*command, status=2, **more)


def test_an_impossible_folder_is_told(raspisms):
    said = raspisms("message", "show", "1", status=1, RASPISMS_INSTANCE="/proc/nowhere")
    assert "vérifiez RASPISMS_INSTANCE" in said


def test_an_older_database_asks_for_its_upgrade(raspisms):
    raspisms("db", "upgrade")
    with raw(raspisms.database) as database:
        database.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    assert "raspisms db upgrade" in raspisms("message", "show", "1", status=1)


def test_tables_are_those_that_the_code_describes(raspisms):
    raspisms("db", "check")


@pytest.mark.parametrize(("email", "password"), [("lea", "une phrase facile"), ("lea@exemple.fr", "court")])
def test_people_need_an_address_and_a_password(raspisms, email, password):
    raspisms("user", "add", email, "--password-stdin", stdin=password + "\n", status=1)


def test_english_terminals_read_english(raspisms):
    assert "No message has the number 9." in raspisms("message", "show", "9", status=1, LANG="en_GB.UTF-8")


def test_help_lists_every_command(raspisms):
    listed = raspisms("--help")
    commands = {path.stem for path in (Path(__file__).parents[2] / "raspisms/cli").glob("[a-z]*.py")}
    assert all(command in listed for command in commands)


def test_a_file_of_numbers_becomes_a_campaign(raspisms, octopush, tmp_path):
    raspisms(*ADD, f"api_key={KEY}")
    (tmp_path / "liste.csv").write_text("numero;nom\n0639987001;Léa\n0639987001;Léa\nJean;\n0639987002;Bob\n")
    send = ("send", "--phone", "Mairie", "--text", "Bonjour", "--json", "--to-file")
    report = json.loads(raspisms(*send, "liste.csv", "--wait"))
    assert report["accepted"] == 2
    assert report["invalid"] == [{"line": 4, "value": "Jean"}]
    assert report["duplicates"] == [{"line": 3, "value": LEA}]
    assert report["campaign"]["state"] == "done"
    assert report["campaign"]["counts"] == {
        "queued": 0,
        "sending": 0,
        "sent": 2,
        "delivered": 0,
        "failed": 0,
        "unknown": 0,
        "expired": 0,
        "cancelled": 0,
    }
    again = json.loads(raspisms(*send, "-", stdin="0639987003\n"))
    listed = json.loads(raspisms("campaign", "list", "--json"))
    assert [one["id"] for one in listed] == [again["campaign"]["id"], report["campaign"]["id"]]
    assert json.loads(raspisms("campaign", "show", "1", "--json")) == report["campaign"]
    for verb in ("pause", "resume", "cancel", "retry"):
        raspisms("campaign", verb, "1", status=1)
    assert "Bonjour" in raspisms("campaign", "list")


def test_a_damaged_list_says_what_became_of_it_and_a_list_of_nobody_is_refused(raspisms, octopush, tmp_path):
    raspisms(*ADD, f"api_key={KEY}")
    (tmp_path / "liste.csv").write_bytes("Numéro;Prénom\r\n639987001;Léa\r\n6,12E+08;Bob\r\n".encode("cp1252"))
    send = ("send", "--phone", "Mairie", "--text", "Bonjour", "--to-file")
    report = json.loads(raspisms(*send, "liste.csv", "--json", "--expires", "2099-12-31 18:00"))
    assert report["repaired"] == [{"line": 2, "value": "639987001", "number": LEA}]
    assert report["invalid"] == [{"line": 3, "value": "6,12E+08"}]

    said = raspisms(*send, "-", stdin="Numéro\nJean\n", status=1).replace("\xa0", " ")
    assert "ligne 2 : « Jean » n’est pas un numéro de téléphone" in said
    assert "Aucun destinataire dans cette liste : aucune campagne n’a été créée." in said
    late = raspisms(*send, "liste.csv", "--expires", "2020-01-01 08:00", status=1)
    assert "déjà passée" in late
    assert [one["id"] for one in json.loads(raspisms("campaign", "list", "--json"))] == [1]


@pytest.mark.parametrize("arguments", [(), (LEA, "--to-file", "liste.csv"), ("--to-file", "nowhere.csv")])
def test_numbers_or_a_file_that_exists(raspisms, arguments):
    raspisms(*ADD, f"api_key={KEY}")
    raspisms("send", "--phone", "Mairie", "--text", "Bonjour", *arguments, status=1)
