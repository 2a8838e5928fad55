"""Which line heads a table, and what each of its columns is."""

from __future__ import annotations

from collections.abc import Sequence

from ...sms import phone_numbers
from ...sms.folding import composed
from ...sms.numbers_in_text import DATE, numbers_in
from ..contacts import clean_key
from . import consents, headings
from .lines import Choice, Column, Role, Row, Sheet

MOST_COLUMNS = 200
# So many lines are looked at: the first ones, and some of the rest.
FIRST_ROWS, OTHER_ROWS = 50, 150
# How far down a table may begin.
HEADER_WITHIN = 30
LONGEST_TITLE = 60
# As many digits as a damaged number still has, and no title.
LEAST_DIGITS = 6
CIVILITIES = frozenset({"m", "mr", "mme", "mlle", "mademoiselle", "madame", "monsieur", "mrs", "ms", "dr", "me"})
# Of what a column holds: how much of it must be numbers, or words.
MOSTLY = 0.6


def people_rows(sheet: Sheet, header: int) -> list[Row]:
    """The lines below the one that heads them, without those of a table that hold nothing."""
    if sheet.headings is not None:
        return sheet.rows
    return [(line, cells) for line, cells in sheet.rows if line > header and any(cells)]


def header_of(sheet: Sheet, choice: Choice) -> int:
    """The line that heads the columns; 0 when there is none."""
    if sheet.headings is not None:
        return 0
    if choice.header is not None:
        return choice.header
    rows = [(line, cells) for line, cells in sheet.rows if any(cells)]
    if known := _known_header(rows[:HEADER_WITHIN]):
        return known
    width = max((len([cell for cell in cells if cell]) for _, cells in rows[:FIRST_ROWS]), default=0)
    for place, (line, cells) in enumerate(rows[:HEADER_WITHIN]):
        filled = [cell for cell in cells if cell]
        if has_number(cells) or any(sum(map(str.isdigit, cell)) >= LEAST_DIGITS for cell in filled):
            return 0
        if len(filled) >= min(2, width) and _stands_above_numbers(cells, rows[place + 1 : FIRST_ROWS]):
            return line
    return 0


def _stands_above_numbers(cells: list[str], below: list[Row]) -> bool:
    """Whether a line says something above the first column of numbers: a person without one does not."""
    for _, row in below:
        for at, cell in enumerate(row):
            if cell and has_number([cell]):
                return at < len(cells) and bool(cells[at])
    return False


def _known_header(rows: list[Row]) -> int:
    """Of the lines that say which column holds numbers, above the first number, the one that says most."""
    best, most = 0, 0
    for line, cells in rows:
        if has_number(cells):
            break
        if _heads(cells):
            known = sum(1 for cell in cells if len(cell) <= LONGEST_TITLE and headings.role_of(cell))
            if known >= most:
                best, most = line, known
    return best


def _heads(cells: list[str]) -> bool:
    """Whether these are titles: one of them says that its column holds numbers, and none is one."""
    if has_number(cells):
        return False
    return any(headings.role_of(cell) is Role.NUMBER for cell in cells if len(cell) <= LONGEST_TITLE)


def has_titles(sheet: Sheet) -> bool:
    """Whether one of its first lines says which column holds numbers."""
    return any(len(cells) > 1 and _heads(cells) for _, cells in sheet.rows[:HEADER_WITHIN])


def is_one_number(cell: str) -> bool:
    """Whether a cell is a number and nothing else, be it damaged."""
    digits = sum(map(str.isdigit, cell))
    return phone_numbers.read(cell)[0] is not None or (digits >= LEAST_DIGITS and not any(map(str.isalpha, cell)))


def has_number(cells: list[str]) -> bool:
    """Whether there is a telephone number in one of them."""
    return any(phone_numbers.read(cell)[0] or numbers_in(cell) for cell in cells if cell)


def columns_of(sheet: Sheet, header: int, choice: Choice) -> list[Column]:
    """What each column is: what the person says, else what its heading says, else what it holds."""
    titles = sheet.headings if sheet.headings is not None else _titles(sheet, header)
    sample = _sample(people_rows(sheet, header))
    width = min(MOST_COLUMNS, max([len(titles), *(len(cells) for _, cells in sheet.rows)], default=0))
    titles = [*titles, *[""] * (width - len(titles))][:width]
    cells = [[row[at] for _, row in sample if at < len(row) and row[at]] for at in range(width)]
    roles = _recognised(titles, cells) | sheet.roles
    chosen = _chosen(titles, choice)
    keys: dict[str, None] = {}
    found = []
    for at, title in enumerate(titles):
        role, key = _as_chosen(chosen.get(at), roles.get(at, Role.DATA))
        found.append(
            Column(at, " ".join(title.split()), role, _free(key or clean_key(title) or f"colonne_{at + 1}", keys))
        )
    return found


def _titles(sheet: Sheet, header: int) -> list[str]:
    return next(([composed(cell) for cell in cells] for line, cells in sheet.rows if header and line == header), [])


def _sample(rows: Sequence[Row]) -> Sequence[Row]:
    rest = rows[FIRST_ROWS:]
    return [*rows[:FIRST_ROWS], *rest[:: max(1, len(rest) // OTHER_ROWS)][:OTHER_ROWS]]


def _free(key: str, taken: dict[str, None]) -> str:
    """This key, or one after it: two columns with one heading both keep what they hold."""
    free, place = key, 2
    while free in taken:
        free, place = f"{key}_{place}", place + 1
    taken[free] = None
    return free


def _chosen(titles: list[str], choice: Choice) -> dict[int, str]:
    """What a person says of columns: by position, or by heading as it is compared everywhere."""
    folded = {" ".join(headings.words(title)): at for at, title in reversed(list(enumerate(titles)))}
    found = {}
    for name, wanted in choice.columns.items():
        at = int(name) if name.isascii() and name.isdecimal() else folded.get(" ".join(headings.words(name)), -1)
        found[at] = wanted
    return found


def _as_chosen(wanted: str | None, role: Role) -> tuple[Role, str]:
    """The role, and the key if it is a datum with a name of its own."""
    if wanted is None:
        return role, ""
    role_of = {one.value: one for one in Role}
    return (role_of[wanted], "") if wanted in role_of else (Role.DATA, clean_key(wanted))


# -- recognising ------------------------------------------------------------------------------------------------


def _recognised(titles: list[str], cells: list[list[str]]) -> dict[int, Role]:
    roles = {at: role for at, title in enumerate(titles) if (role := headings.role_of(title))}
    _settle_numbers(roles, titles, cells)
    _settle_names(roles, titles)
    _settle_consents(roles, titles, cells)
    if not {Role.NAME, Role.FIRST_NAME, Role.LAST_NAME} & set(roles.values()):
        roles |= _name_columns(roles, titles, cells)
    return roles


def _settle_names(roles: dict[int, Role], titles: list[str]) -> None:
    """ "Nom" comes before "Nom de l'élève", and both before "Contact"."""
    for part in (Role.FIRST_NAME, Role.LAST_NAME):
        held = [at for at, role in roles.items() if role is part]
        if any(headings.is_exact(titles[at]) for at in held):
            roles.update(dict.fromkeys((at for at in held if not headings.is_exact(titles[at])), Role.DATA))
    named = [at for at, role in roles.items() if role in {Role.FIRST_NAME, Role.LAST_NAME, Role.NAME}]
    weak = [at for at in named if headings.is_weak_name(titles[at])]
    if len(weak) < len(named):
        roles.update(dict.fromkeys(weak, Role.DATA))


def _settle_consents(roles: dict[int, Role], titles: list[str], cells: list[list[str]]) -> None:
    """A column "SMS" of yes and no is an agreement, unless its words are about something else."""
    for at, title in enumerate(titles):
        known = frozenset(headings.words(title))
        is_free = roles.get(at) in {None, Role.NUMBER} or (roles[at] is Role.DATA and not headings.is_consent(known))
        if is_free and known & headings.BY_SMS and cells[at] and _is_yes_or_no(cells[at]):
            roles[at] = Role.CONSENT


def _is_yes_or_no(held: list[str]) -> bool:
    return all(consents.says(cell) is not None for cell in held)


def _settle_numbers(roles: dict[int, Role], titles: list[str], cells: list[list[str]]) -> None:
    """All columns with telephone numbers: by heading where they hold some, by what they hold elsewhere."""
    likeness = {at: _likeness(held) for at, held in enumerate(cells)}
    for at, role in roles.items():
        if role in {Role.CONSENT, Role.REFUSAL} and likeness[at][1] >= MOSTLY:  # "Mobile (pas de SMS)"
            roles[at] = Role.NUMBER
    said = [at for at, role in roles.items() if role is Role.NUMBER]
    bare = [at for at in said if headings.is_bare_number(titles[at])]
    if len(bare) < len(said):  # "Numéro" beside a telephone is of something else, unless it holds telephones
        roles.update(dict.fromkeys((at for at in bare if likeness[at][1] < MOSTLY), Role.DATA))
    without = [at for at in said if cells[at] and not likeness[at][0]]  # they hold something, and no number
    if any(found for at, (found, _) in likeness.items() if at not in without):
        roles.update(dict.fromkeys(without, Role.DATA))
    said = [at for at, role in roles.items() if role is Role.NUMBER]
    passed = {*bare, *without} - set(said)
    for at, (found, sure) in likeness.items():
        # A damaged number counts where no column is called after numbers; a column that is called otherwise, too.
        share = max(sure, found) if not said else sure if not titles[at] else 0.0
        if at not in roles and at not in passed and share >= MOSTLY and headings.may_hold_numbers(titles[at]):
            roles[at] = Role.NUMBER
    if Role.NUMBER not in roles.values() and likeness:
        best = max(likeness, key=lambda at: (likeness[at], -at))
        if likeness[best][0]:
            roles[best] = Role.NUMBER


def _likeness(held: list[str]) -> tuple[float, float]:
    """How much of a column reads as numbers at all, and how much of it as numbers that nothing damaged."""
    if not held:
        return 0.0, 0.0
    found = sure = 0
    for cell in held:
        number, repaired = phone_numbers.read(cell)
        if number or numbers_in(cell):
            found += 1
            sure += not repaired
    return found / len(held), sure / len(held)


def _name_columns(roles: dict[int, Role], titles: list[str], cells: list[list[str]]) -> dict[int, Role]:
    """Who is on the list, for want of a column that is called a name: never a date, a number or an address."""
    free = [at for at in range(len(titles)) if at not in roles and headings.may_name(titles[at])]
    for at in free:
        if headings.speaks_of_people(titles[at]):
            return {at: Role.NAME}
    wordy = [at for at in free if _holds_words(cells[at])]
    numbers = [at for at, role in roles.items() if role is Role.NUMBER]
    # RaspiSMS: the name is in the column before the number, whatever it is called.
    before = [at for at in wordy if numbers and at < numbers[0]]
    found = before or [at for at in wordy if not titles[at]]
    is_pair = len(found) > 1 and found[1] == found[0] + 1 and not any(titles)
    if is_pair and all(map(_is_one_word, [*cells[found[0]], *cells[found[1]]])):
        return {found[0]: Role.FIRST_NAME, found[1]: Role.LAST_NAME}  # two columns, in whatever order they are
    return dict.fromkeys(found[:1], Role.NAME)


def _is_one_word(cell: str) -> bool:
    return len(cell.split()) == 1


def _holds_words(held: list[str]) -> bool:
    words = sum(1 for cell in held if _is_words(cell))
    titles = sum(1 for cell in held if cell.lower().strip(". ") in CIVILITIES)
    return bool(held) and words >= len(held) * MOSTLY and titles < len(held) * MOSTLY


def _is_words(cell: str) -> bool:
    letters = sum(map(str.isalpha, cell))
    is_address = "@" in cell or "://" in cell or ("/" in cell and " " not in cell)
    return letters > sum(map(str.isdigit, cell)) and not is_address and not DATE.search(cell)
