"""Workbooks as small as Excel reads: no library is needed to write one."""

import zipfile
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def write(path, **sheets):
    """Write rows of texts, a sheet for each name."""
    places = list(enumerate(sheets, start=1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        parts = "".join(
            f'<Override PartName="/xl/worksheets/sheet{at}.xml" ContentType="{TYPES}.worksheet+xml"/>'
            for at, _ in places
        )
        book.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>{parts}</Types>',
        )
        book.writestr("_rels/.rels", relations(("r1", "officeDocument", "xl/workbook.xml")))
        listed = "".join(f'<sheet name="{escape(name)}" sheetId="{at}" r:id="r{at}"/>' for at, name in places)
        book.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>'
        )
        targets = [(f"r{at}", "worksheet", f"worksheets/sheet{at}.xml") for at, _ in places]
        book.writestr("xl/_rels/workbook.xml.rels", relations(*targets))
        for at, name in places:
            body = f'<worksheet xmlns="{MAIN}"><sheetData>{cells(sheets[name])}</sheetData></worksheet>'
            book.writestr(f"xl/worksheets/sheet{at}.xml", body)


def relations(*targets):
    """Which part leads to which."""
    listed = "".join(
        f'<Relationship Id="{name}" Type="{OFFICE}/{kind}" Target="{target}"/>' for name, kind, target in targets
    )
    return f'<Relationships xmlns="{RELATIONS}">{listed}</Relationships>'


def cells(rows):
    """The rows of a sheet; an empty text is an empty cell."""
    return "".join(
        f'<row r="{at}">' + "".join(f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>' for value in row) + "</row>"
        for at, row in enumerate(rows, start=1)
    )
