"""The letters of a file: which encoding it has, and what had to be guessed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from ...i18n import N_
from .lines import Said

WINDOWS = N_("Ce fichier n’est pas en UTF-8 : il a été lu en Windows-1252. Vérifiez les accents.")
MAC = N_("Ce fichier n’est pas en UTF-8 : il a été lu en Mac Roman. Vérifiez les accents.")
DOS = N_("Ce fichier n’est pas en UTF-8 : il a été lu en CP850 (DOS). Vérifiez les accents.")
MIXED = N_("Ce fichier mêle UTF-8 et Windows-1252 : ses accents ont été devinés. Vérifiez-les.")
TWICE = N_("Les accents de ce fichier étaient abîmés (« Ã© » pour « é »), ils ont été réparés. Vérifiez-les.")
SAID_OF = {"cp1252": WINDOWS, "mac_roman": MAC, "cp850": DOS}
TWICE_ENCODED = re.compile(r"Ã[\u0080-\u00bf\u2010-\u2122\u0152-\u0192]|Â[\u00a0-\u00bf]|â€")
STRAY = N_("Ligne %(line)s : un caractère n’est pas en UTF-8, il a été deviné. Vérifiez les accents.")
LOST = N_("Ligne %(line)s : un caractère était déjà perdu dans le fichier, « ? » le remplace.")
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What French has besides ASCII: which of two encodings makes more of it is the right one.
FRENCH = frozenset("éèêëàâäçîïôöùûüÿœæÉÈÊÀÂÇÎÔŒ’«»€°…–")
# An accented capital inside of a word is what a wrong encoding makes.
ODD = re.compile(
    r"[A-Za-zà-ÿ][À-ÞŽŠ‡Œ][a-zà-ÿ]|[a-zà-ÿ][À-ÞŽŠ‡Œ]|[a-z][áíóúñ][a-z]|[a-zA-Z][¼½¾‚„ˆ‰¸¤]|[\u0080-\u009f\u2500-\u259f]"
)
# So many places are named; a file with more of them has another encoding, or is lost anyway.
MOST_NAMED = 5
UNKNOWN = "\ufffd"
# What no database takes, or only in part: NUL, and halves of characters.
UNSTORABLE = re.compile("[\ud800-\udfff\0]")


@dataclass
class Decoded:
    """The text of a file, and what is to be said of how it was read."""

    text: str
    said: list[Said] = field(default_factory=list)


def decode(content: bytes) -> Decoded:
    """The text of a file: by its mark, as UTF-8 if it is that but for single letters, else Windows or Mac."""
    found = _decode(content)
    if UNKNOWN in found.text:
        lines = (number for number, line in enumerate(found.text.splitlines(), start=1) if UNKNOWN in line)
        found.said += [(LOST, {"line": str(number)}) for number, _ in zip(lines, range(MOST_NAMED), strict=False)]
        found.text = found.text.replace(UNKNOWN, "?")
    found.text = UNSTORABLE.sub("", found.text)
    return found


def _decode(content: bytes) -> Decoded:
    for mark, name in BOMS:
        if content.startswith(mark):
            return Decoded(content.decode(name, errors="ignore"))
    if (bare := _bare_utf16(content[:400])) is not None:
        return Decoded(content.decode(bare, errors="ignore"))
    try:
        return _mended(content.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    others = {name: content.decode(name, errors="replace") for name in SAID_OF}
    best = max(SAID_OF, key=lambda name: _frenchness(others[name]))
    wrong, right = _stray_bytes(content)
    if right:
        guessed = _with_guesses(content, wrong)
        if _frenchness(guessed.text) >= _frenchness(others[best]):
            return guessed if len(wrong) <= max(1, right // 4) else Decoded(guessed.text, [(MIXED, {})])
    return Decoded(others[best], [(SAID_OF[best], {})])


def _mended(text: str) -> Decoded:
    """The text itself, or what it was before a program took its UTF-8 for Windows's letters and wrote that."""
    if not TWICE_ENCODED.search(text):
        return Decoded(text)
    try:
        return Decoded(text.encode("cp1252").decode("utf-8"), [(TWICE, {})])
    except UnicodeError:
        return Decoded(text)


def _bare_utf16(sample: bytes) -> str | None:
    """Which half of the pairs is empty, in a file that says nothing of itself; None where neither mostly is."""
    for name, half in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if half.count(0) * 4 > len(half):
            return name
    return None


def _stray_bytes(content: bytes) -> tuple[list[int], int]:
    """Where bytes stand that are no UTF-8, and how many letters of more than one byte are."""
    wrong: list[int] = []
    strict, position = codecs.getincrementaldecoder("utf-8"), 0
    while len(wrong) <= 1_000:
        try:
            strict("strict").decode(content[position:], final=True)
            break
        except UnicodeDecodeError as error:
            wrong.append(position + error.start)
            position += error.start + 1
    letters = sum(1 for byte in content if byte >= 0xC2) - len([at for at in wrong if content[at] >= 0xC2])
    return wrong, letters


def _with_guesses(content: bytes, wrong: list[int]) -> Decoded:
    pieces, position, said = list[str](), 0, list[Said]()
    for at in wrong:
        pieces += [
            content[position:at].decode("utf-8", errors="replace"),
            content[at : at + 1].decode("cp1252", "replace"),
        ]
        if len(said) < MOST_NAMED:
            line = len(re.findall(rb"\r\n|\r|\n", content[:at])) + 1
            said.append((STRAY, {"line": str(line)}))
        position = at + 1
    return Decoded("".join(pieces) + content[position:].decode("utf-8", errors="replace"), said)


def _frenchness(text: str) -> int:
    return sum(1 for character in text if character in FRENCH) - 3 * len(ODD.findall(text)) - 3 * text.count(UNKNOWN)
