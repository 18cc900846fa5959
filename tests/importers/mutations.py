"""Ways to break a file: bytes, text with its cells and headers, members of a ZIP package and their XML."""

from __future__ import annotations

import gzip
import io
import random
import re
import warnings
import zipfile
from collections.abc import Mapping

_BYTES = (
    b"\0", b"\xff", b'"', b"'", b"\n", b"\r", b"\r\n", b"\t", b";", b",", b"\xef\xbb\xbf", b"\xed\xa0\x80",
    b"\x1f", b"\xff\xfe", b"PK\x03\x04", b"\x1a", b"=", b"\xc3", b"\xe2\x80\xae", b"sep=;\n", b"\\", b"_x0000_",
    b"\x85",
)  # fmt: skip
_VALUES = (
    "", "0", "-0", "-1", "1e999", "nan", "inf", "9", "1_0", "0x10", "1.234", "1,234", "1.234,56", "1 234,56",
    "1'234.5", "12,5", ",", ".", "-", "١٢", "½", "1E5", "00123", "'=1+1", "#N/A", "=A1", "\ufeff", "\u200b",
    "\ud7ff", "e\u0301", "x", "a\nb", '"', "true", "2024-01-01", "5 €", "$ 5", "USD 5", "id:10", "Default Title",
    "not stocked", "Color=Red;Blue", "=", "variation", "{", "%s", "{0}", "\x1b[0m",
    "9" * 400, "x" * 40_000, "=" * 2_000, "A" * 256,
)  # fmt: skip
_XML = (
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&#0;", b"&#xD800;", b"&b;", b"<![CDATA[x]]>", b"<c/>", b"<row/>",
    b"</row>", b"<v>1</v>", b"<f>1</f>", b"<!-- x -->", b"<?xml version='1.0' encoding='utf-7'?>", b"<t>", b"</t>",
    b'<row r="1048577"/>', b'<c r="XFD9"><v>1</v></c>', b'<c r="ZZZZ1"/>', b'<c t="s"><v>99</v></c>',
    b'<table:table-row table:number-rows-repeated="99999999"/>',
)  # fmt: skip
_PACKED = (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)
_NUMBERS = (*"0 -1 1 2 16384 16385 1048576 1048577 99999999999 4294967296 1e9 x ² ٣".split(), "")


def mutated(draw: random.Random, samples: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The name of a sample, and its bytes after one to four mutations."""
    name = draw.choice([*samples])
    content = samples[name]
    for _ in range(draw.choice((1, 1, 1, 2, 2, 4))):
        if content.startswith(b"PK") and draw.random() < 0.8:
            content = package(draw, content)
        elif content[:2] in (b"PK", b"\xd0\xcf") or draw.random() < 0.4:
            content = any_bytes(draw, content)
        else:
            content = any_text(draw, content)
    if draw.random() < 0.02:
        content += samples[draw.choice(list(samples))]
    return name, content


def any_bytes(draw: random.Random, content: bytes) -> bytes:
    """Flips, cuts, repeats, or puts in a few bytes."""
    if not content:
        return draw.choice(_BYTES)
    found, at = bytearray(content), draw.randrange(len(content))
    how, length = draw.randrange(6), draw.choice((1, 2, 4, 16, 200))
    if how == 0:
        for _ in range(draw.choice((1, 1, 2, 8, 64))):
            found[draw.randrange(len(found))] ^= 1 << draw.randrange(8)
    elif how == 1:
        del found[at:]
    elif how == 2:
        del found[at : at + length]
    elif how == 3:
        found[at:at] = found[at : at + length] * draw.choice((1, 2, 50))
    elif how == 4:
        found[at:at] = draw.choice(_BYTES) * draw.choice((1, 1, 3))
    else:
        found[at : at + length] = draw.randbytes(length)
    return bytes(found)


def any_text(draw: random.Random, content: bytes) -> bytes:
    """Changes cells, headers, delimiters, line ends or the encoding of a text table."""
    text = content.decode("utf-8", "surrogateescape")
    mark = max(",;\t|", key=text.partition("\n")[0].count)
    lines = text.splitlines()
    how = draw.randrange(8)
    if how == 0 and lines:
        row = draw.randrange(len(lines))
        cells = lines[row].split(mark)
        cells[draw.randrange(len(cells))] = draw.choice(_VALUES)
        lines[row] = mark.join(cells)
    elif how == 1 and lines:
        cells = lines[0].split(mark)
        draw.shuffle(cells)
        lines[0] = mark.join(cells)
    elif how == 2 and lines:
        cells = lines[0].split(mark)
        cells[draw.randrange(len(cells))] = draw.choice([*cells, "", "SKU", "Price", "\ufeff", "x" * 500])
        lines[0] = mark.join(cells)
    elif how == 3:
        return text.replace(mark, draw.choice(",;\t| ^")).encode("utf-8", "surrogateescape")
    elif how == 4:
        encoding = draw.choice(("utf-16", "utf-16-be", "utf-32", "cp1252", "cp850", "utf-7", "utf-8-sig", "cp037"))
        return text.encode(encoding, "replace")
    elif how == 5:
        packed = gzip.compress(content)
        return packed[: draw.choice((len(packed), len(packed) - 9, len(packed) // 2))]
    elif how == 6 and lines:
        lines.insert(draw.randrange(len(lines)), draw.choice(lines) if draw.random() < 0.7 else draw.choice(_VALUES))
    else:
        lines = [line + draw.choice((mark, "", "", '"', mark * 1_200)) for line in lines]
    return draw.choice(("\n", "\r\n", "\r", "\n\n")).join(lines).encode("utf-8", "surrogateescape")


def package(draw: random.Random, content: bytes) -> bytes:
    """Changes, drops, renames or repeats members of a ZIP package, or lies about them."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:
        return any_bytes(draw, content)
    if not members:
        return any_bytes(draw, content)
    place, how = draw.randrange(len(members)), draw.randrange(12)
    name, data = members[place]
    if how < 7:
        members[place] = name, part(draw, data)
    elif how == 7:
        del members[place]
    elif how == 8:
        names = (
            "../../x",
            "/etc/x",
            "xl/workbook.xml",
            name.upper(),
            "content.xml",
            "mimetype",
            "a" * 300,
            "\\x",
            "con",
        )
        members[place] = draw.choice(names), data
    elif how == 9:
        members.append((draw.choice(members)[0], data))
    elif how == 10:
        members.append(("xl/media/x.bin", b"\0" * draw.choice((10, 2 << 20))))
    packed = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(packed, "w", draw.choice(_PACKED)) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice, which is what we want
        for member, told in members:
            archive.writestr(member, told)
    found = bytearray(packed.getvalue())
    if how == 11:
        where = found.find(draw.choice((b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06")))
        for _ in range(3):
            found[min(where + draw.randrange(4, 46), len(found) - 1)] = draw.choice((0, 1, 8, 9, 255))
    return bytes(found)


def part(draw: random.Random, data: bytes) -> bytes:
    """Changes one XML part: a number, a value, a tag, a piece put in, another encoding."""
    how = draw.randrange(6)
    numbers = [*re.finditer(rb'"[0-9]+"', data)]
    tags = [*re.finditer(rb"<[^<>]+>", data)]
    texts = [*re.finditer(rb">([^<>]+)<", data)]
    if how == 0 and numbers:
        found = draw.choice(numbers)
        return data[: found.start()] + f'"{draw.choice(_NUMBERS)}"'.encode() + data[found.end() :]
    if how == 1 and tags:
        found = draw.choice(tags)
        return data[: found.start()] + (found[0] * 2 if draw.random() < 0.3 else b"") + data[found.end() :]
    if how == 2 and texts:
        found = draw.choice(texts)
        value = draw.choice(_VALUES).replace("<", "").replace("&", "").encode()
        return data[: found.start(1)] + value + data[found.end(1) :]
    if how == 3 and tags:
        at = draw.choice(tags).end()
        return data[:at] + draw.choice(_XML) + data[at:]
    if how == 4:
        return data.decode("utf-8", "replace").replace("UTF-8", "UTF-16").encode(draw.choice(("utf-16", "utf-8")))
    return any_bytes(draw, data)
