"""Files that somebody could bring: sound ones in every format, and what becomes of them at the hand of chance.

The same number makes the same file, so that whatever a fuzzer finds can be made again.
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable

import pandas as pd

COLUMNS = ("validation_id", "member_id", "field_office", "mode", "conducted_on", "entity_type", "hours")
MAPPING = {"name": "Fuzzed", "tables": {"validations": {"columns": {name: name for name in COLUMNS}}}}
_OFFICES = ("Miami", "Houston", "Newark", "Buffalo")

ODD_TEXTS = (
    "", " ", "\x00", "'", '"', '";--', "=HYPERLINK(1)", "-1", "1e999", "nan", "inf", "NULL", "1" * 400, "é" * 50, "\u202e", "😀",
    "\ufeff", "2020-02-30", "9999-12-31", "0000-00-00", "31/12/2021", "1/2/3", "%s%n", "{0}", "${x}", "../../x", "a\nb", "a\r",
    "\t", "\udcff", "<script>", "Ａ", "٣", "1.0", "0x10", "true", "1_000", "__source_row", "_source_row", "_left_out",
    "rowid", "file_row_number", "filename", "validation_id__parsed", "_source_order", "broken_rule", "VALIDATION_ID", "*", "COLUMNS(*)",
)  # fmt: skip
"""Values and headers that have broken programs before."""


def sound_rows(count: int = 40) -> pd.DataFrame:
    """Validations that import without a complaint."""
    day = pd.Timestamp("2021-01-04")
    return pd.DataFrame(
        {
            "validation_id": [f"V{i:03}" for i in range(count)],
            "member_id": [f"M{i % 17:02}" for i in range(count)],
            "field_office": [_OFFICES[i % 4] for i in range(count)],
            "mode": ["virtual" if i % 2 else "in_person" for i in range(count)],
            "conducted_on": [(day + pd.Timedelta(days=7 * i)).strftime("%Y-%m-%d") for i in range(count)],
            "entity_type": ["importer" if i % 3 else "highway_carrier" for i in range(count)],
            "hours": [str(2 + i % 9) for i in range(count)],
        }
    )


def _csv(rows: pd.DataFrame) -> bytes:
    return rows.to_csv(index=False).encode("utf-8", errors="surrogatepass")


def _workbook(rows: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.to_excel(out, index=False)
    return out.getvalue()


def _parquet(rows: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    rows.to_parquet(out, index=False)
    return out.getvalue()


FORMATS: dict[str, Callable[[pd.DataFrame], bytes]] = {
    ".csv": _csv,
    ".xlsx": _workbook,
    ".parquet": _parquet,
}


class Maker:
    """Makes odd files: number → name and bytes."""

    def __init__(self) -> None:
        rows = sound_rows()
        self._sound = {ending: write(rows) for ending, write in FORMATS.items()}

    def file(self, number: int) -> tuple[str, bytes, bool]:
        """A file's ending and bytes, and whether its rows were changed rather than its bytes."""
        draw = random.Random(number)
        ending = draw.choice([".csv", ".csv", ".xlsx", ".parquet"])
        way = draw.random()
        if way < 0.25:
            return ending, self._of_odd_values(draw, ending), True
        if way < 0.45:
            return ending, _encoded(draw, self._sound[".csv"]), False
        if way < 0.55 and ending == ".xlsx":
            return ending, _repacked(draw, self._sound[".xlsx"]), False
        if way < 0.60:
            # A sound file under another's name.
            return ending, self._sound[draw.choice(list(FORMATS))], False
        return ending, changed(draw, self._sound[ending]), False

    def _of_odd_values(self, draw: random.Random, ending: str) -> bytes:
        rows = sound_rows(draw.choice([1, 3, 40]))
        for _ in range(draw.choice([1, 2, 8])):
            rows.iat[draw.randrange(len(rows)), draw.randrange(rows.shape[1])] = _odd(draw, ending)
        if draw.random() < 0.3:
            names = list(rows.columns)
            names[draw.randrange(len(names))] = _odd(draw, ending)
            rows.columns = names
        if draw.random() < 0.2:
            rows.insert(0, _odd(draw, ending), "x", allow_duplicates=True)
        if ending == ".parquet" and rows.columns.duplicated().any():
            ending = ".csv"
        return FORMATS[ending](rows)


def _odd(draw: random.Random, ending: str) -> str:
    text = draw.choice(ODD_TEXTS).replace("\udcff", "")
    if draw.random() < 0.2:
        text = "".join(
            chr(draw.choice([draw.randrange(1, 0x250), draw.randrange(0x2000, 0x3000)])) for _ in range(5)
        )
    # What a format cannot hold cannot come in it.
    if ending != ".csv":
        text = "".join(c for c in text if c.isprintable())
    return text


def changed(draw: random.Random, content: bytes) -> bytes:
    """Bytes with some changed, cut, doubled, moved or made to lie about lengths."""
    data = bytearray(content)
    for _ in range(draw.choice([1, 1, 2, 5, 40])):
        if not data:
            break
        place = draw.randrange(len(data))
        length = draw.choice([1, 2, 4, 8, 64, 512])
        what = draw.randrange(8)
        if what == 0:
            data[place] = draw.randrange(256)
        elif what == 1:
            data[place] ^= 1 << draw.randrange(8)
        elif what == 2:
            del data[place : place + length]
        elif what == 3:
            data[place:place] = data[place : place + length]
        elif what == 4:
            data[place:place] = draw.randbytes(length)
        elif what == 5:
            data[place : place + length] = (
                draw.choice([b"\x00", b"\xff", b"\n", b'"', b",", b"\xfe\xff"]) * length
            )
        elif what == 6:
            data = data[:place]
        else:
            other = draw.randrange(len(data))
            data[place : place + length] = data[other : other + length]
    return bytes(data)


def _encoded(draw: random.Random, content: bytes) -> bytes:
    text = content.decode("utf-8").replace("Miami", draw.choice(["Miamí", "Miami", "邁阿密", "Mi\tami"]))
    encoding = draw.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "shift_jis", "cp037", "utf-8-sig", "utf-7"])  # fmt: skip
    data = text.encode(encoding, errors="replace")
    return changed(draw, data) if draw.random() < 0.5 else data


def _repacked(draw: random.Random, content: bytes) -> bytes:
    """A workbook with one of its parts changed inside: a sound zip of unsound XML."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        names = old.namelist()
        victim = draw.choice(names)
        for name in names:
            data = old.read(name)
            if name == victim:
                data = _xml(draw, data)
            if data or draw.random() < 0.5:
                new.writestr(name, data)
    return out.getvalue()


def _xml(draw: random.Random, data: bytes) -> bytes:
    what = draw.randrange(7)
    if what == 0:
        return b""
    if what == 1:
        return (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
            + data[data.find(b"<", 5) :]
        )
    if what == 2:
        return data.replace(
            b'r="A', draw.choice([b'r="ZZZ', b'r="A9999999', b'r="', b'r="-']), draw.choice([1, 100])
        )
    if what == 3:
        return data.replace(b'ref="A1', draw.choice([b'ref="A1048577', b'ref="XFE1', b'ref="']))
    if what == 4:
        return data.replace(
            b'r="2"', draw.choice([b'r="2000000"', b'r="0"', b'r="-5"', b'r="x"', b'r="99999999999"'])
        )
    if what == 5:
        return data.replace(
            b't="s"', draw.choice([b't="d"', b't="n"', b't="b"', b't="e"', b't="str"', b't="?"'])
        )
    return changed(draw, data)
