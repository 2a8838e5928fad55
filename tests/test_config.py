import pytest

from raspisms.config import SETTINGS, ConfigError, load, queue_socket


def test_nothing_needs_to_be_set():
    values = load({})
    assert values["PORT"] == 8000
    assert values["PUBLIC_URL"] == "http://127.0.0.1:8001"
    assert values["OCTOPUSH_URL"] == "https://api.octopush.com/v1/public"
    assert str(values["SQLALCHEMY_DATABASE_URI"]).startswith("sqlite:////")
    assert values["EMBEDDED_QUEUE"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"RASPISMS_PROT": "8000"}, "RASPISMS_PROT"),
        ({"RASPISMS_PORT": "eighty"}, "RASPISMS_PORT"),
        ({"RASPISMS_PORT": "70000"}, "RASPISMS_PORT"),
        ({"RASPISMS_PORT": "8001"}, "RASPISMS_CALLBACKS_PORT"),
        ({"RASPISMS_WORKERS": "0"}, "RASPISMS_WORKERS"),
        ({"RASPISMS_PUBLIC_URL": "sms.example.org"}, "RASPISMS_PUBLIC_URL"),
        ({"RASPISMS_PUBLIC_URL": "https://sms.example.org/?key=1"}, "RASPISMS_PUBLIC_URL"),
        ({"RASPISMS_OCTOPUSH_URL": "ftp://x"}, "RASPISMS_OCTOPUSH_URL"),
        ({"RASPISMS_DATABASE_URL": "mysql://x"}, "RASPISMS_DATABASE_URL"),
        ({"RASPISMS_REDIS_URL": "http://x"}, "RASPISMS_REDIS_URL"),
        ({"RASPISMS_SECRET_KEY": "short"}, "RASPISMS_SECRET_KEY"),
        ({"RASPISMS_TIMEZONE": "Paris"}, "RASPISMS_TIMEZONE"),
        ({"RASPISMS_SECRET_KEY_FILE": "/nonexistent"}, "RASPISMS_SECRET_KEY_FILE"),
        ({"RASPISMS_SECRET_KEY": "x" * 40, "RASPISMS_SECRET_KEY_FILE": "/etc/hostname"}, "RASPISMS_SECRET_KEY"),
    ],
)
def test_each_mistake_is_named_in_a_sentence(environ, words):
    with pytest.raises(ConfigError) as caught:
        load(environ)
    assert words in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_secret_value_is_never_in_the_sentence():
    with pytest.raises(ConfigError) as caught:
        load({"RASPISMS_SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_every_setting_may_come_from_a_file(tmp_path, name):
    value = {
        "DATABASE_URL": "postgresql+psycopg://u:p@h/d",
        "REDIS_URL": "redis://h/1",
        "PUBLIC_URL": "https://sms.example.org",
        "OCTOPUSH_URL": "https://o.example.org/v1",
        "PORT": "9000",
        "CALLBACKS_PORT": "9001",
        "SANDBOX_PORT": "9002",
        "WORKERS": "3",
        "PROXIES": "1",
        "SECRET_KEY": "k" * 40,
        "TIMEZONE": "Indian/Reunion",
        "PAGES_URL": "http://sms.lan:8000",
        "SMTP_URL": "smtps://u:p@smtp.example.org",
        "MAIL_FROM": "sms@example.org",
    }.get(name, "/srv/raspisms")
    (tmp_path / "value").write_text(value + "\n")
    more = {"RASPISMS_MAIL_FROM": "sms@example.org"} if name == "SMTP_URL" else {}
    assert str(load({f"RASPISMS_{name}_FILE": str(tmp_path / "value"), **more})[name]) == value


def test_a_base_url_may_end_with_a_slash():
    assert load({"RASPISMS_PUBLIC_URL": "https://sms.example.org/"})["PUBLIC_URL"] == "https://sms.example.org"


def test_an_empty_variable_is_no_variable():
    assert load({"RASPISMS_PORT": ""})["PORT"] == 8000


def test_a_deep_instance_gets_a_socket_elsewhere(tmp_path):
    deep = tmp_path / ("x" * 120)
    assert len(str(queue_socket(deep))) < 108
    assert queue_socket(deep) == queue_socket(deep) != queue_socket(tmp_path)


def test_ipv6_addresses_get_their_brackets():
    assert load({"RASPISMS_HOST": "::1"})["PUBLIC_URL"] == "http://[::1]:8001"
