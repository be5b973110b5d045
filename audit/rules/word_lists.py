"""Lists of words from files: a column of a sheet, or a line each."""

from __future__ import annotations

import csv
import io
import re
import zipfile

from pydantic import ValidationError
from python_calamine import CalamineError, CalamineWorkbook

from audit.rules.kinds import MOST_WORDS, WordInput
from audit.rules.views import WordsRead
from scrm.errors import Unprocessable

LARGEST = 5 << 20
LARGEST_UNPACKED = 60 << 20
MOST_REFUSED = 50
HEADS = frozenset({"词", "词语", "敏感词", "关键词", "关键字", "违禁词", "word", "words", "keyword", "keywords"})


def read(data: bytes) -> WordsRead:
    """The first column of a sheet, or the lines of a text. ``/…/`` is an expression; ``*`` and ``?`` make a pattern. Raises
    :class:`Unprocessable` for what is no such file."""
    if not data:
        raise Unprocessable("The file is empty.", fields={"file": "It has no content."}, code="bad_sheet")
    lines = _workbook(data) if data[:2] == b"PK" else _text(data)
    if lines and lines[0].strip().lower() in HEADS:
        lines = lines[1:]
    return words_of(lines)


def words_of(lines: list[str]) -> WordsRead:
    words: dict[tuple[str, str], WordInput] = {}
    refused: list[str] = []
    doubles = more = 0
    for line in lines:
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        how = "regex" if re.fullmatch(r"/.+/", text) else "wildcard" if re.search(r"[*?]", text) else "plain"
        try:
            word = WordInput.model_validate({"text": text[1:-1] if how == "regex" else text, "how": how})
        except ValidationError as error:
            if len(refused) < MOST_REFUSED:
                refused.append(f"{text[:40]}: {error.errors()[0]['msg'].removeprefix('Value error, ')}"[:300])
            more += 1
            continue
        key = (word.how, word.text.lower())
        if key in words:
            doubles += 1
        elif len(words) >= MOST_WORDS:
            more += 1
        else:
            words[key] = word
    return WordsRead(words=list(words.values()), doubles=doubles, refused=refused, more=max(more - len(refused), 0))


def _workbook(data: bytes) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(one.file_size for one in packed.infolist()) > LARGEST_UNPACKED:
                raise Unprocessable("The sheet unpacks to too much.", code="bad_sheet")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
        return [_cell(row[0]) for row in sheet.to_python(skip_empty_area=False) if row]
    except (CalamineError, zipfile.BadZipFile, OSError, IndexError) as error:
        raise Unprocessable("This is no xlsx file that can be read.", code="bad_sheet") from error


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text(data: bytes) -> list[str]:
    for encoding in ("utf-8-sig", "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        if any(line.startswith('"') for line in text.splitlines()):
            try:
                return [row[0] for row in csv.reader(io.StringIO(text, newline="")) if row]
            except csv.Error:
                break
        return [line.split("\t")[0] for line in text.splitlines()]
    raise Unprocessable("This is no text file that can be read.", code="bad_sheet")
