"""What a file that should be a table really is, for people save tables in many ways.

Used by :mod:`aares.data.tables`. The assignment's files are UTF-8 text with commas between columns
and names in the first line. Whatever else lies under their name is refused in words that say what
it looks like and how to make the right file of it: by one line of pandas, or by the right choice
in a spreadsheet. Nothing is guessed: a table that was read wrongly would go unnoticed.

References
----------
RFC 4180, "Common format and MIME type for comma-separated values (CSV) files", 2005, section 2.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from aares.data.cells import show_cell
from aares.errors import DataError

EXCEL = "save it in Excel as 'CSV UTF-8 (Comma delimited)'"
AGAIN = "download or copy it again"
MARK = "\ufeff"  # the byte order mark: a signature at the head of some UTF-8 files


def _convert(reader: str, options: str = "", needs: str = "") -> str:
    line = f"pd.read_{reader}({{name!r}}{options}).to_csv('fixed.csv', index=False)"
    return f"{line} (needs the package {needs})" if needs else line


_UNPACK = "unpack it, so that the .csv itself lies there"
_ANOTHER = "write the table itself: to_csv('fixed.csv', index=False)"
# First bytes -> how the text is encoded; the longer of two beginnings comes first.
ENCODINGS: dict[bytes, str] = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# First bytes -> what it looks like, and the remedy.
SIGNATURES: dict[bytes, tuple[str, str]] = {
    b"\x1f\x8b": ("a gzip archive", f"{_UNPACK}: gunzip < {{name}} > fixed.csv"),
    b"BZh": ("a bzip2 archive", _UNPACK),
    b"\xfd7zXZ": ("an xz archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a Zstandard archive", _UNPACK),
    b"7z\xbc\xaf": ("a 7-Zip archive", _UNPACK),
    b"Rar!": ("a RAR archive", _UNPACK),
    b"\xd0\xcf\x11\xe0": (
        "an Excel workbook (.xls)",
        f"{EXCEL}, or {_convert('excel', needs='xlrd')}",
    ),
    b"PAR1": ("a Parquet file", _convert("parquet", needs="pyarrow")),
    b"ARROW1": ("a Feather file", _convert("feather", needs="pyarrow")),
    b"\x89HDF": ("an HDF5 file", _convert("hdf", needs="tables")),
    b"\x93NUMPY": ("an array of numpy (.npy)", _ANOTHER),
    b"\x80\x04": ("a pickle of Python", _ANOTHER),
    b"\x80\x05": ("a pickle of Python", _ANOTHER),
    b"SQLite format 3": ("an SQLite database", _ANOTHER),
    b"%PDF": ("a PDF", "take the table itself, not its printed form"),
    b"{\\rtf": ("a text document (RTF)", "save it as plain text"),
    b"\x89PNG": ("a picture (PNG)", "take the table itself, not a picture of it"),
    b"\xff\xd8\xff": ("a picture (JPEG)", "take the table itself, not a picture of it"),
}
_PAGE = ("a web page", "download the file itself; on GitHub: 'Download raw file'")
# The same for text, in small letters.
TEXTS: dict[str, tuple[str, str]] = {
    "version https://git-lfs": ("a pointer of Git LFS, not the file itself", "git lfs pull"),
    "/annex/objects/": ("a pointer of git-annex, not the file itself", "git annex get {name}"),
    "<!doctype html": _PAGE,
    "<html": _PAGE,
    "<table": ("an HTML table", "open it in a spreadsheet, and save it as CSV in UTF-8"),
    "<": ("XML", "open it in a spreadsheet, and save it as CSV in UTF-8"),
    "{": ("JSON, an object a line", _convert("json", ", lines=True")),
    "[": ("JSON", _convert("json")),
    "@relation": ("an ARFF file (Weka)", "save it as CSV there"),
}
SEPARATORS: dict[str, str] = {";": "semicolons", "\t": "tabs", "|": "pipes"}


def read_text(path: Path) -> str:
    """Read a text file in UTF-8.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        As :func:`decode_text` gives it.

    Raises
    ------
    DataError
        There is no such file, it cannot be read, or it is no such text.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "songs.csv").mkdir()
    ...     read_text(Path(folder) / "songs.csv")
    Traceback (most recent call last):
    aares.errors.DataError: songs.csv: expected a file, found a folder of that name
    """
    if path.is_dir():
        raise DataError(f"{path.name}: expected a file, found a folder of that name")
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path.name}: expected in {path.parent}, found no such file") from error
    except PermissionError as error:
        raise DataError(
            f"{path.name}: you have no permission to read it; chmod u+r {path.name}"
        ) from error
    except OSError as error:
        raise DataError(f"{path.name}: not readable ({error.strerror}); {AGAIN}") from error
    return decode_text(raw, path.name)


def decode_text(raw: bytes, name: str) -> str:
    """Decode the content of a file that should be text in UTF-8.

    Parameters
    ----------
    raw : bytes
    name : str
        Of the file, for an error message.

    Returns
    -------
    str
        Without a byte order mark and blank lines at its head.

    Raises
    ------
    DataError
        It is another format, another encoding, or damaged: what it looks like, and what to do.

    Examples
    --------
    >>> decode_text("\\ufeffgenre\\npop\\n".encode(), "challenge.csv")
    'genre\\npop\\n'
    >>> decode_text(b"%PDF-1.7 ...", "songs.csv")  # doctest: +NORMALIZE_WHITESPACE
    Traceback (most recent call last):
    aares.errors.DataError: songs.csv: expected UTF-8 text with commas, found what looks like a PDF;
        take the table itself, not its printed form
    """
    for start, encoding in ENCODINGS.items():
        if raw.startswith(start):
            raise _refuse_encoding(raw, name, encoding)
    for start, found in SIGNATURES.items():
        if raw.startswith(start):
            raise _refuse(name, *found)
    if raw.startswith(b"PK\x03\x04"):
        raise _refuse(name, *_open_zip(raw))
    _refuse_nul(raw, name)
    text = _decode(raw, name).lstrip(MARK).lstrip("\r\n")
    if not text.strip():
        raise DataError(f"{name}: expected a table, found an empty file; {AGAIN}")
    head = text[:100].lstrip().lower()
    for beginning in TEXTS:
        if head.startswith(beginning):
            raise _refuse(name, *TEXTS[beginning])
    joined = re.search(rf"[\r\n]{MARK}", text)
    if joined:
        line = len(text[: joined.end()].splitlines())
        raise DataError(
            f"{name}, line {line}: found a byte order mark, as where two files were joined; "
            "join tables by pd.concat, or delete the second line of names there"
        )
    return text


def _refuse(name: str, found: str, remedy: str) -> DataError:
    return DataError(
        f"{name}: expected UTF-8 text with commas, found what looks like {found}; "
        + remedy.format(name=name)
    )


def _refuse_encoding(raw: bytes, name: str, encoding: str) -> DataError:
    text = raw[:40_000].decode(encoding, "replace")
    found = f"{encoding[:6].upper()} text (Excel's 'Unicode Text' is one)"
    return _refuse(name, found, f"{EXCEL}, or {_reread(text, encoding)}")


def _reread(text: str, encoding: str = "") -> str:
    """Write the line of pandas that reads a text of other marks or encoding."""
    first, *rest = text[:40_000].splitlines()
    mark = max(",", *SEPARATORS, key=first.count)
    options = f", {encoding=}" * bool(encoding) + f", sep={mark!r}" * (mark != ",")
    if mark != "," and re.search(rf"(?:^|{re.escape(mark)})\"?-?\d+,\d", "\n".join(rest), re.M):
        options += ", decimal=','"
    # Without the last option a song that is called NA or None would lose its name.
    return _convert("csv", f"{options}, keep_default_na=False")


def _open_zip(raw: bytes) -> tuple[str, str]:
    """Tell a workbook from other archives: its parts have names of their own."""
    if b"xl/" in raw:
        return "an Excel workbook (.xlsx)", f"{EXCEL}, or {_convert('excel', needs='openpyxl')}"
    if b"opendocument.spreadsheet" in raw[:200]:
        return (
            "a spreadsheet of LibreOffice (.ods)",
            "save it as 'Text CSV' there, in UTF-8",
        )
    return "a zip archive", _UNPACK


def _refuse_nul(raw: bytes, name: str) -> None:
    """Refuse bytes of value 0: every other one is, in UTF-16 of Western text without a mark."""
    first = raw.find(0)
    if first < 0:
        return
    head = raw[:2000]
    if max(head[::2].count(0), head[1::2].count(0)) > len(head) / 4:
        kind = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        raise _refuse_encoding(raw, name, kind)
    line = raw.count(b"\n", 0, first) + 1
    raise DataError(f"{name}, line {line}: found a byte 0, which no text holds: damaged; {AGAIN}")


def _decode(raw: bytes, name: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            raise DataError(f"{name}: cut off in the middle of a character; {AGAIN}") from error
        line = raw.count(b"\n", 0, error.start) + 1
        before, after = raw[max(0, error.start - 20) : error.start], raw[error.start :][:20]
        word = re.findall(rb"[^\s,;\"']*$", before)[0] + re.findall(rb"^[^\s,;\"']*", after)[0]
        raise DataError(
            f"{name}, line {line}: expected UTF-8 text, found the byte 0x{raw[error.start]:02X} "
            f"({word.decode('cp1252', 'replace')!r} in Windows-1252, Latin-1); {EXCEL}, or "
            + _reread(raw.decode("cp1252", "replace"), "cp1252").format(name=name)
        ) from error


def read_header(text: str, name: str, columns: tuple[str, ...]) -> list[str]:
    """Read the names of the columns, and check that the expected ones are among them, once each.

    Parameters
    ----------
    text : str
        The whole table.
    name : str
        Of the file, for an error message.
    columns : tuple of str

    Returns
    -------
    list of str
        Without spaces around them; empty for a column without a name.

    Raises
    ------
    DataError
        A column is missing or stands there twice, or something else than commas separates them.

    Examples
    --------
    >>> read_header("id, tempo\\ns1,120\\n", "songs.csv", ("tempo",))
    ['id', 'tempo']
    >>> read_header("id,Tempo\\ns1,120\\n", "songs.csv", ("tempo",))
    Traceback (most recent call last):
    aares.errors.DataError: songs.csv: missing column 'tempo' (1 of 1 missing; found 'id, Tempo'); \
rename 'Tempo' to 'tempo'
    """
    first = text.splitlines()[0]
    note = re.fullmatch(r"\"?sep=(.)\"?[,;]*", first.strip(" \r\n"), re.IGNORECASE)
    if note:
        raise DataError(
            f"{name}: expected the names of columns in line 1, found {show_cell(first)}, a note to "
            f"Excel; delete that line" + ("" if note[1] == "," else f", or {EXCEL}")
        )
    header = [cell.strip() for cell in _read_first(text, name)]
    missing = [column for column in columns if column not in header]
    if missing:
        _refuse_separators(text, name, columns, set(columns) - set(missing))
        raise DataError(
            f"{name}: missing column {missing[0]!r} ({len(missing)} of {len(columns)} missing; "
            f"found {show_cell(', '.join(header))}){_advise(text, header, missing, columns)}"
        )
    repeated = [cell for cell in header if cell and header.count(cell) > 1]
    if repeated:
        raise DataError(
            f"{name}: column {repeated[0]!r} stands more than once; rename or delete one of them"
        )
    return header


def _read_first(text: str, name: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:  # the end of the file, or of what a cell may hold
        raise DataError(
            f"{name}: a quotation mark in line 1 is not closed; delete it, or write it twice"
        ) from error


def _refuse_separators(text: str, name: str, columns: tuple[str, ...], known: set[str]) -> None:
    """Say so where another mark, or one pair of quotes, gives more of the expected columns."""
    first = text.splitlines()[0]
    for mark, called in SEPARATORS.items():
        cells = {cell.strip().strip('"') for cell in first.split(mark)}
        if len(cells) < 2 or ("," in first and len(cells & set(columns)) <= len(known)):
            continue
        remedy = _reread(text)
        called += ", and commas in numbers" * ("decimal" in remedy)
        raise DataError(
            f"{name}: expected commas between columns, found {called}; {EXCEL}, or "
            + remedy.format(name=name)
        )
    if set(first.strip().strip('"').split(",")) >= set(columns) and first.startswith('"'):
        raise DataError(
            f"{name}: expected commas between columns, found each line in one pair of quotation "
            "marks; delete the first and the last of each line"
        )


def _advise(text: str, header: list[str], missing: list[str], columns: tuple[str, ...]) -> str:
    for wanted in missing:
        plain = {
            re.sub(r"[\W_]+", "", cell.lower()): cell for cell in header if cell not in columns
        }
        like = get_close_matches(re.sub(r"[\W_]+", "", wanted), plain, 1, 0.8)
        if like:
            return f"; rename {plain[like[0]]!r} to {wanted!r}"
    width = max(map(len, islice(csv.reader(io.StringIO(text, newline="")), 1, 2)), default=0)
    if len(missing) == 1 and len(header) < width:
        return f"; line 1 has {len(header)} names, row 1 has {width} cells: write the name there"
    if len(missing) == 1 and "" in header[1:]:
        return f"; column {header.index('', 1) + 1} has no name: write it in line 1"
    for number, line in enumerate(text.splitlines()[1:10], 2):
        if {cell.strip() for cell in line.split(",")} >= set(columns):
            return f"; the names stand in line {number}: delete what is above"
    if len(missing) == len(columns):
        return "; the first line must hold the names of the columns"
    return ""


def check_rows(text: str, name: str, width: int) -> None:
    """Check that each row has as many cells as the header, and that all quotation marks close.

    Parameters
    ----------
    text : str
        The whole table. Empty lines are no rows, and empty cells beyond the header no cells.
    name : str
        Of the file, for an error message.
    width : int
        Cells of the header.

    Raises
    ------
    DataError
        Which row does not fit, and why that may be.

    Examples
    --------
    >>> check_rows("id,name\\ns1,Harbour\\ns2,Hello, Goodbye\\n", "songs.csv", 2)
    Traceback (most recent call last):
    aares.errors.DataError: songs.csv, row 2: expected 2 cells, found 3; \
a cell with a comma needs quotation marks around it
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    next(reader)
    widths: list[int] = []
    wrong = None
    try:
        for cells in reader:
            if len(cells) < 2 and not "".join(cells).strip():
                continue
            widths.append(len(cells))
            if wrong is None and (len(cells) < width or any(cells[width:])):
                wrong = len(widths)
    except csv.Error as error:  # the end of the file, or of what a cell may hold
        raise DataError(
            f"{name}, row {wrong or len(widths) + 1}: a quotation mark is not closed, or stands "
            "alone within a cell; delete it, or write it twice"
        ) from error
    if wrong is not None:
        raise DataError(f"{name}{_explain_widths(widths, wrong, width)}")


def _explain_widths(widths: list[int], wrong: int, width: int) -> str:
    if set(widths) == {width + 1}:
        return (
            f": expected as many names in line 1 as cells in each row, found {width} and "
            f"{width + 1}: the numbers of the rows come first, without a name; write it with "
            "to_csv(..., index=False), in R with row.names=FALSE"
        )
    if widths[wrong - 1] > width:
        hint = "; a cell with a comma needs quotation marks around it"
    else:
        hint = f"; the file seems cut off: {AGAIN}" if wrong == len(widths) else ""
    return f", row {wrong}: expected {width} cells, found {widths[wrong - 1]}{hint}"
