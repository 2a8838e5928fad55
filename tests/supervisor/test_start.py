"""Starting: any folder, any host, and a sentence where it cannot be."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys

import pytest
import requests

from tests.databases import raw, url_of
from tests.factories import LEA, until
from tests.tree import Tree

pytestmark = pytest.mark.tree

ODD_NAMES = [b"Mes documents/a=b&c;d", b"q?mode=ro#h%20p", b'latin-\xe9\xff "it\'s"', b"l" * 120]


@pytest.fixture
def make_tree(tmp_path):
    made = []

    def make(folder=tmp_path, **more):
        folder.mkdir(parents=True, exist_ok=True)
        made.append(Tree(folder, RASPISMS_WORKERS="1", **more))
        return made[-1]

    yield make
    for tree in made:
        if tree.up and tree.up.poll() is None:
            tree.stop()


def commanded(tree, *arguments, status):
    """What a command says on its error stream."""
    done = subprocess.run(
        [sys.executable, "-m", "raspisms", *arguments], env=tree.environ, capture_output=True, timeout=60, check=False
    )
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == status, said
    assert "Traceback" not in said
    return said


def refused(tree):
    """What it says where it cannot start."""
    return commanded(tree, "up", status=1)


def sends(tree):
    tree.add_phone()
    [sent] = tree.send(LEA)
    return tree.await_status(sent, "delivered")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_of_a_folder_works(make_tree, tmp_path, name):
    tree = make_tree(tmp_path / os.fsdecode(name))
    tree.start()
    sends(tree)
    assert tree.stop() == 0
    assert (tree.instance / "raspisms.db").stat().st_size > 0
    assert "Traceback" not in tree.log.read_text(errors="replace")


@pytest.mark.parametrize("damage", ["zeros at the end", "empty manifest", "no file at all"])
def test_a_damaged_queue_file_ends_nothing(make_tree, damage):
    tree = make_tree()
    kept = tree.instance / "queue" / "appendonlydir"
    kept.mkdir(parents=True)
    manifest = kept / "appendonly.aof.manifest"
    manifest.write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    (kept / "appendonly.aof.1.incr.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n" + b"\0" * 4096)
    if damage == "empty manifest":
        manifest.write_bytes(b"")
    elif damage == "no file at all":
        (kept / "appendonly.aof.1.incr.aof").unlink()
    (tree.instance / "queue" / "dump.rdb").write_bytes(b"\0" * 100)
    tree.start()
    sends(tree)


def test_what_keeps_the_queue_from_starting_is_set_aside(make_tree):
    tree = make_tree()
    (tree.instance / "queue" / "valkey.log").mkdir(parents=True)  # no log can be written there
    tree.start()
    sends(tree)
    assert (tree.instance / "queue.damaged").is_dir()
    assert "set aside" in tree.log.read_text()


@pytest.mark.parametrize("host", ["localhost", "::1", "0.0.0.0", "::"])
def test_names_and_addresses_are_listened_on(make_tree, host):
    tree = make_tree(RASPISMS_HOST=host)
    if host == "::1":
        tree.url = f"http://[::1]:{tree.port}"
    tree.start()
    said = tree.log.read_text()
    assert "0.0.0.0" not in said
    assert "[::]" not in said
    assert requests.get(f"{tree.url}/login", timeout=5).status_code == 200
    [sent] = tree.command("send", "--phone", "Bac à sable", "--text", "Bonjour", "--json", LEA)["messages"]
    tree.await_status(sent["id"], "delivered")


@pytest.mark.parametrize(
    ("host", "words"),
    [("nobody.invalid", "aucune adresse ne porte le nom"), ("192.0.2.7", "n’est pas une adresse de cette machine")],
)
def test_what_cannot_be_listened_on_is_a_sentence(make_tree, host, words):
    assert words in refused(make_tree(RASPISMS_HOST=host))


def modes(folder):
    return {path.name: stat.S_IMODE(path.lstat().st_mode) & 0o077 for path in [folder, *folder.rglob("*")]}


def test_everything_in_the_instance_is_for_its_owner(make_tree):
    tree = make_tree()
    tree.instance.mkdir(mode=0o755)
    (tree.instance / "old").mkdir(mode=0o777)
    for name in ("raspisms.db", "old/copy.db"):
        (tree.instance / name).touch(mode=0o666)
        (tree.instance / name).chmod(0o666)
    previous = os.umask(0)
    try:
        tree.start()
    finally:
        os.umask(previous)
    sends(tree)
    assert set(modes(tree.instance).values()) == {0}


def test_after_a_stop_the_database_is_whole_in_its_one_file(make_tree, tmp_path):
    tree = make_tree()
    tree.start()
    sends(tree)
    assert tree.stop() == 0
    left = sorted(path.name for path in tree.instance.glob("*.db*") if path.suffix in (".db", ".db-wal", ".db-shm"))
    assert left == ["callbacks.db", "raspisms.db"]
    shutil.copy(tree.instance / "raspisms.db", tmp_path / "alone.db")
    with sqlite3.connect(tmp_path / "alone.db") as copy:
        assert copy.execute("SELECT count(*) FROM messages WHERE status = 'delivered'").fetchone() == (1,)


def test_a_copy_made_while_it_ran_is_refused_and_a_killed_one_goes_on(make_tree, tmp_path):
    tree = make_tree()
    tree.start()
    sends(tree)
    copy = make_tree(tmp_path / "copy")
    shutil.copytree(tree.instance, copy.instance, ignore=shutil.ignore_patterns("*.sock"))
    assert "a été copié pendant que RaspiSMS tournait" in refused(copy)
    (copy.instance / "running").unlink()

    os.kill(tree.up.pid, signal.SIGKILL)
    tree.up.wait(5)
    until(lambda: tree.processes() == [], 15, "an empty machine")
    tree.start()


def test_a_port_in_use_a_file_in_the_way_and_a_folder_that_takes_nothing(make_tree, tmp_path):
    tree = make_tree()
    tree.instance.write_text("no folder")
    assert "ne peut pas écrire dans le dossier" in refused(tree)
    tree.environ["RASPISMS_INSTANCE"] = "/proc/raspisms"
    assert "ne peut pas écrire dans le dossier /proc/raspisms" in refused(tree)


@pytest.mark.parametrize("secret", [b"", b"\n\n", b"\xff\xfe\0\0" * 20, b"\0" * 64, b"short"])
def test_a_secret_that_is_none_is_a_sentence(make_tree, secret):
    tree = make_tree()
    tree.instance.mkdir()
    (tree.instance / "secret.key").write_bytes(secret)
    said = refused(tree)
    assert "secret.key, est vide ou illisible" in said


def test_a_database_that_is_none_or_a_newer_one_is_a_sentence(make_tree):
    tree = make_tree()
    tree.instance.mkdir()
    file = tree.instance / "raspisms.db"
    file.write_bytes(b"This is no database. " * 500)
    assert "ne peut pas être lue" in refused(tree)
    file.unlink()

    commanded(tree, "db", "upgrade", status=0)
    with raw(url_of(tree.settings())) as database:
        database.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    for arguments in (["up"], ["db", "upgrade"], ["message", "show", "1"]):
        assert "plus récente" in commanded(tree, *arguments, status=1)
