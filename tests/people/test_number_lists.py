"""Lists of numbers, in the forms that people keep them in."""

import pytest

from raspisms.people import number_lists


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ("numero,nom\n0639987001,Léa\n\n0639987002,Bob\n", [(2, "0639987001"), (4, "0639987002")]),
        ("0639987001;Léa\n0639987002;Bob\n", [(1, "0639987001"), (2, "0639987002")]),
        ('Téléphone\tNom\n"06 39 98 70 01"\tLéa\n', [(2, "06 39 98 70 01")]),
        ("\ufeffNuméro\r\n0639987001\r\n", [(2, "0639987001")]),
        ("0639987001", [(1, "0639987001")]),
        ("12,faux\n0639987001,Léa\n", [(1, "12"), (2, "0639987001")]),
        ("", []),
        ("numero\n6,12E+08\n", [(2, "6,12E+08")]),
        ("numero;nom\n6,39987001E+08;Léa\n639987002,0;Bob\n", [(2, "6,39987001E+08"), (3, "639987002,0")]),
        ("numero,total\n0639987001,12\n0639987002,0\n", [(2, "0639987001"), (3, "0639987002")]),
        ("nom;numero\nJean, dit Jo;0639987001\n", [(2, "Jean, dit Jo")]),
        ('numero;note\n0639987001;"deux\nlignes"\n0639987002;fin\n', [(2, "0639987001"), (4, "0639987002")]),
        ('numero;note\n0639987001;"jamais\n0639987002;fermé\n', [(2, "0639987001"), (3, "0639987002")]),
        ("a|b\n0639987001|x\n", [(2, "0639987001")]),
        ("Téléphone\n0639987001;Dupont\n", [(2, "0639987001")]),
        ("tel, portable;nom\n0639987001;Dupont\n", [(2, "0639987001")]),
        ("0639987001;Dupont, Jean\n0639987002;Léa\n", [(1, "0639987001"), (2, "0639987002")]),
        ('"0639987001";"dit ""Jo"" ; le grand"\n"0639987002";x\n', [(1, "0639987001"), (2, "0639987002")]),
        (
            '0639987001;"Le Chat\n0639987002;Marie\n0639987003;"Paul\n0639987004;Luc\n',
            [(n, f"063998700{n}") for n in (1, 2, 3, 4)],
        ),
        ('0639987001;Jean 5"\n0639987002;x\n0639987003;Paul 3"\n', [(n, f"063998700{n}") for n in (1, 2, 3)]),
        ("0639987001;\x00\n", [(1, "0639987001")]),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_lists_are_read_as_people_keep_them(tmp_path, content, cells, encoding):
    if encoding != "utf-8":
        content = content.removeprefix("\ufeff")
    path = tmp_path / "liste.csv"
    path.write_bytes(content.encode(encoding))
    with number_lists.open_list(str(path)) as file:
        assert list(number_lists.first_column(file)) == cells


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_of_ten_megabytes_is_refused_alone(tmp_path, quote):
    path = tmp_path / "liste.csv"
    path.write_text(f"numero\n{quote}06{'9' * 10_000_000}\n0639987001\n")
    with number_lists.open_list(str(path)) as file:
        long, short = number_lists.first_column(file)
    assert (long[0], len(long[1]) < 100) == (2, True)
    assert short == (3, "0639987001")


def test_long_lines_after_a_quote_that_nobody_closed_are_all_there():
    lines = [f"06399870{n:02d};{'x' * 1400}\n" for n in range(60)]
    lines[3] = lines[3].replace(";x", ';"x', 1)
    assert [cell for _, cell in number_lists.first_column(lines)] == [f"06399870{n:02d}" for n in range(60)]


def test_a_quote_that_nobody_closed_hides_nobody():
    lines = ['"06 39 98 70 00;x\n', *(f"06399870{n:02d};y\n" for n in range(1, 80))]
    found = list(number_lists.first_column(lines))
    assert [line for line, _ in found] == list(range(1, 81))
    assert [cell for _, cell in found[1:]] == [f"06399870{n:02d}" for n in range(1, 80)]
