"""The documentation is complete and its links lead somewhere."""

import re
from pathlib import Path

import click
import pytest

from raspisms.cli import main
from raspisms.config import SETTINGS

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs/exploitation.md").read_text(encoding="utf-8")
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "raspisms/adapters/README.md"]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default(setting):
    [row] = [line for line in GUIDE.splitlines() if line.startswith(f"| `RASPISMS_{setting.name}`")]
    if setting.default:
        assert f"`{setting.default}`" in row


def test_no_setting_is_documented_that_does_not_exist():
    documented = set(re.findall(r"^\| `RASPISMS_(\w+)`", GUIDE, re.M))
    assert documented == {setting.name for setting in SETTINGS}


def commands(group, path=("raspisms",)):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


def test_every_command_is_documented():
    missing = [command for command in commands(main) if f"`{command}" not in GUIDE]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_local_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (document.parent / target).exists(), target


def test_the_tree_of_the_architecture_is_the_tree():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for path in (ROOT / "raspisms").iterdir():
        name = path.name + ("/" if path.is_dir() else "")
        if not name.startswith("__"):
            assert name in text, f"{name} is missing from docs/architecture.md"
    named = re.findall(r"`(tests/[\w/.]+|bench/)`", text)
    assert all((ROOT / name).exists() for name in named)


def test_the_readme_has_its_two_commands_and_its_pictures():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in readme
    assert "make test" in readme
    assert readme.count("docs/pictures/") == 3
