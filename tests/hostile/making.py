"""Hostile files, made by hand: workbooks that lie, swell or loop, and texts without end.

What belongs here: building such a file as bytes, small on the disk and large in what it says. What does not: expectations,
and files that are only damaged (`tests/fuzz`).
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.parquet as pq

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="{kind}" Target="{target}"/></Relationships>'
)
_ROOT, _SHEET = "workbook", "worksheet"  # names of the format
SHEET_PART = f"xl/{_SHEET}s/sheet1.xml"
_BOOK = (
    f'<?xml version="1.0"?><{_ROOT} xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    f' xmlns:r="{_RELATION}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></{_ROOT}>'
)
_NAMESPACES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text", "style")
)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """An archive of these members, packed."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def xlsx(rows: str, *, claimed: str = "A1", before: str = "", **more: str) -> bytes:
    """A workbook with one sheet `S` from the XML of its rows; `claimed` are the dimensions that it claims."""
    sheet = (
        f'<?xml version="1.0"?>{before}<{_SHEET} xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{claimed}"/><sheetData>{rows}</sheetData></{_SHEET}>'
    )
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "_rels/.rels": _RELATIONS.format(kind=f"{_RELATION}/officeDocument", target=f"xl/{_ROOT}.xml"),
            f"xl/{_ROOT}.xml": _BOOK,
            f"xl/_rels/{_ROOT}.xml.rels": _RELATIONS.format(
                kind=f"{_RELATION}/{_SHEET}", target=f"{_SHEET}s/sheet1.xml"
            ),
            SHEET_PART: sheet,
            **more,
        }
    )


def xlsx_cell(place: str, value: int = 1) -> str:
    """A number in a cell, in a row of its own."""
    row = "".join(letter for letter in place if letter.isdigit())
    return f'<row r="{row}"><c r="{place}"><v>{value}</v></c></row>'


def ods(rows: str, **more: str) -> bytes:
    """An OpenDocument workbook with one sheet `S` from the XML of its rows."""
    content = (
        f'<?xml version="1.0"?><office:document-content{_NAMESPACES}><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<?xml version="1.0"?><manifest:manifest{_MANIFEST}/>',
            "content.xml": content,
            **more,
        }
    )


_MANIFEST = ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'


def ods_row(*cells: str, times: int = 1) -> str:
    """A row of cells, said to stand there so many times."""
    return f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'


def ods_cell(text: str = "x", times: int = 1) -> str:
    """A text in a cell, said to stand there so many times; an empty text is an empty cell."""
    filled = f' office:value-type="string"><text:p>{text}</text:p></table:table-cell>' if text else "/>"
    return f'<table:table-cell table:number-columns-repeated="{times}"{filled}'


# ---------------------------------------------------------------------------------------------------------------------
# xls: an OLE container with one stream of BIFF records

SECTOR = 512
END_OF_CHAIN, FREE, FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_FIRST_OF_STREAM = 2  # after the sector of the FAT and that of the directory


def record(kind: int, data: bytes = b"") -> bytes:
    """One BIFF record."""
    return struct.pack("<HH", kind, len(data)) + data


def xls_number(row: int, column: int, value: float = 1.0) -> bytes:
    """The record of a number in a cell; both counted from 0."""
    return record(0x0203, struct.pack("<HHHd", row, column, 0, value))


def xls_dimensions(rows: int, columns: int) -> bytes:
    """The record that claims how large a sheet is."""
    return record(0x0200, struct.pack("<IIHHH", 0, rows, 0, columns, 0))


def xls(cells: bytes, *, before: bytes = b"", sheets: int = 1) -> bytes:
    """A workbook of `sheets` equal sheets from the records of the cells; `before` are records of the workbook itself."""
    bof = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)
    names = [f"S{number}".encode() for number in range(sheets)]
    head = record(0x0809, bof) + before
    length = len(head) + sum(4 + 8 + len(name) for name in names) + 4
    sheet = record(0x0809, bof[:2] + b"\x10\x00" + bof[4:]) + cells + record(0x000A)
    bounds = b"".join(
        record(0x0085, struct.pack("<IBBBB", length + at * len(sheet), 0, 0, len(name), 0) + name)
        for at, name in enumerate(names)
    )
    return ole(head + bounds + record(0x000A) + sheet * sheets)


def ole(stream: bytes) -> bytes:
    """An OLE container with the stream `Workbook`."""
    stream = stream.ljust(4096, b"\0")
    sectors = -(-len(stream) // SECTOR)
    fat = [FAT_SECTOR, END_OF_CHAIN, *range(_FIRST_OF_STREAM + 1, _FIRST_OF_STREAM + sectors), END_OF_CHAIN]
    if len(fat) > SECTOR // 4:
        raise ValueError("a stream so long needs a second sector of the FAT")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, 1, 0, 4096, END_OF_CHAIN, 0, END_OF_CHAIN, 0, 0,
    )  # fmt: skip
    header = header.ljust(SECTOR, b"\xff")
    directory = _entry("Root Entry", 5, END_OF_CHAIN, 0) + _entry("Workbook", 2, _FIRST_OF_STREAM, len(stream))
    return (
        header
        + struct.pack(f"<{len(fat)}I", *fat).ljust(SECTOR, b"\xff")
        + directory.ljust(SECTOR, b"\0")
        + stream.ljust(sectors * SECTOR, b"\0")
    )


def _entry(name: str, kind: int, start: int, size: int) -> bytes:
    spelt = name.encode("utf-16-le")
    return struct.pack("<64sHBBIII16xI8x8xIQ", spelt, len(spelt) + 2, kind, 1, FREE, FREE, FREE, 0, start, size)


def with_fat(content: bytes, sector: int, following: int) -> bytes:
    """The same container, with another sector said to follow a sector."""
    at = SECTOR + 4 * sector
    return content[:at] + struct.pack("<I", following) + content[at + 4 :]


# ---------------------------------------------------------------------------------------------------------------------
# Archives that swell, or lie about it


def zeros(megabytes: int) -> bytes:
    """An xlsx with one more member of so many megabytes of zeros; about a thousandth of that on the disk."""
    return xlsx(xlsx_cell("A1"), **{"xl/media/image1.png": bytes(megabytes * 2**20)})


def with_claimed_size(content: bytes, member: str, size: int) -> bytes:
    """The same archive, with another size of a member in its directory and in front of the member."""
    name = member.encode()
    changed = bytearray(content)
    for signature, size_at, name_at in ((b"PK\x01\x02", 24, 46), (b"PK\x03\x04", 22, 30)):
        at = content.find(signature)
        while at >= 0:
            if content[at + name_at : at + name_at + len(name)] == name:
                changed[at + size_at : at + size_at + 4] = struct.pack("<I", size)
            at = content.find(signature, at + 1)
    return bytes(changed)


def twice_named(content: bytes) -> bytes:
    """The same archive with a second member of the name of its last one."""
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library warns of just this
        archive.writestr(archive.namelist()[-1], b"another")
    return stream.getvalue()


# ---------------------------------------------------------------------------------------------------------------------
# Parquet


def parquet(columns: Mapping[str, pa.Array]) -> bytes:
    """A Parquet file of these columns."""
    stream = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), stream, compression="zstd", store_schema=False)
    return stream.getvalue()


def long_text_often(characters: int, rows: int) -> pa.Array:
    """One long text in so many rows, which a file holds once."""
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * characters])
