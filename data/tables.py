"""Columns of numbers in text, as spreadsheets and their like write them: separators, decimals, what is missing.

Wherever a table can be read in two ways it is refused, and what would decide is named.
"""

import array
import contextlib
import itertools
import math
import os
import re

import numpy as np

from tf1.app import UserError, number

DECIMALS = {"point": ".", "comma": ","}
MISSING = ("refuse", "interpolate")
_SAMPLE_LINES = 20  # which show how a table is written
_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "blanks"}
_LINE = "\n"  # as a separator: there is one column
_NOTHING = frozenset("|?|-|--|–|—|.|na|n/a|#n/a|<na>|nan|+nan|-nan|nil|null|none|\\n".split("|"))  # in lower case
_QUOTED = re.compile('"((?:[^"]|"")*)"')
# Thousands in strict groups of three digits, by the mark of decimals; blanks and apostrophes go with both marks.
_GROUPED = {
    mark: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}([{group} \u00a0\u2009\u202f'\u2019])\d{{3}}(?:\1\d{{3}})*(?:\{mark}\d+)?", re.ASCII
    )
    for mark, group in ((".", ","), (",", "."))
}
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}", re.ASCII)  # one thousand and fifty, or hardly more than one
_BLANKS = re.compile("[ \t]+")


def _cell_pattern(separator):
    """A cell in quotes, or one without them; then the separator, or the end."""
    ends, between = (" \t", "[ \t]+") if separator == " " else (separator, separator)
    return re.compile(rf' *(?:"((?:[^"]|"")*)" *?|([^{ends}]*))({between}|$)')


_CELL = {separator: _cell_pattern(separator) for separator in (*_SEPARATORS, _LINE)}


def split_cells(path, line, text, separator):
    """The cells of a line, without the quotes around them; `line` is its number.

    Raises:
      UserError: a quote opens that does not close at the end of its cell.
    """
    text = text.strip(" \t" if separator == " " else " ")
    if '"' not in text:
        return _BLANKS.split(text) if separator == " " else text.split(separator)
    cells, place, end = [], 0, separator
    while end:
        found = _CELL[separator].match(text, place)
        if not found or found[1] is None and found[2].startswith('"'):
            raise UserError(
                f"{path} has a quote in line {line} that opens there and does not close at the end of its cell: "
                "correct it (a cell does not go on in the next line)"
            )
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        place, end = found.end(), found[3]
    return cells


def _value(cell, mark):
    """The number in a cell, with this mark of decimals; all else is refused with a ValueError."""
    if grouped := _GROUPED[mark].fullmatch(cell):
        cell = cell.replace(grouped[1], "")
    elif mark == "," and ("." in cell or cell.endswith(",")):
        raise ValueError
    return number(cell.replace(",", ".") if mark == "," else cell)


def _is_number(cell, marks):
    """Whether the cell is a number, with one of the marks of decimals, or says that there is none."""
    for mark in marks:
        with contextlib.suppress(ValueError):
            _value(cell, mark)
            return True
    return cell.lower() in _NOTHING


def _place(text):
    """The number of a column, from 1 on, that the text is; else None."""
    return int(text) if re.fullmatch("0*[1-9][0-9]{0,5}", text) else None


def _find_separator(path, lines, column, decimal):
    """The separator in the first lines of a table; _LINE where there is one column."""
    # If decimals are told to be commas, a point in a number is an error, and not what tells columns from each other.
    marks = "." if decimal == "point" else ".,"
    bare = [_QUOTED.sub("x", line).strip(" ") for line in lines]
    unquoted = [_QUOTED.sub(r"\1", line).strip(" ") for line in lines]
    is_second = (_place(column or "") or 1) > 1
    is_name = not any(separator in bare[0] for separator in "\t;,")
    if (
        not is_second
        and all(_is_number(line, marks) and " " not in line for line in unquoted[1:])
        and (is_name or _is_number(unquoted[0], marks))
    ):
        if not decimal:
            _check_one_column(path, bare, column)
        return _LINE
    for separator in "\t;":
        if separator in bare[0]:
            return separator
    words = [word for line in bare for word in line.split() if "," in word]
    if "," in bare[0] and not (" " in bare[0] and all(_is_number(word, marks) for word in words)):
        return ","
    return " " if all(" " in line for line in bare[:2]) else _LINE


def _check_one_column(path, lines, column):
    """Refuses `1,5` in each line, which is a number with a decimal comma, where there seem to be two columns.

    There seem to be where the first parts rise or fall, as counters, years and dates do, and where a column is named.
    """
    parts = [line.split(",") for line in lines]
    if len(parts) > 2 and all(len(pair) == 2 and re.fullmatch("[0-9]{1,20}", pair[0]) for pair in parts):
        counts, rest = zip(*parts)
        pairs = [(int(before), int(after)) for before, after in itertools.pairwise(counts)]
        is_ordered = all(before < after for before, after in pairs) or all(before > after for before, after in pairs)
        if column or is_ordered and len(set(rest)) > 1:
            raise UserError(
                f"{path} begins with {lines[0]!r} and {lines[1]!r}, which may be numbers with decimal commas, or two "
                "columns: give --decimal=comma, or --column=2, or the file a header"
            )


def _choose_column(path, rows, separator, column, marks):
    """The index of the column of that name or number, and whether the first of the rows is a header."""
    names, *others = rows
    width = max(map(len, rows))
    found = f"{path} has the columns {', '.join(names)[:200]}"
    found += f", separated by {_SEPARATORS[separator]}" if separator in _SEPARATORS else ""
    wanted = (column or "").strip()
    wanted = wanted if wanted in names else wanted.strip('"').strip()
    by_number = place - 1 if (place := _place(wanted)) and place <= width else None
    if column is None:
        if width > 1:
            raise UserError(f"{found}: choose one with --column=NAME or its number, from 1 on")
        index = 0
    elif wanted and wanted in names:
        if by_number is not None and all(_is_number(name, marks) for name in names):
            raise UserError(f"--column={column}: {found}, names or values? Give the file a header with words")
        places = [place for place, name in enumerate(names, start=1) if name == wanted]
        if len(places) > 1:
            raise UserError(f"--column={column}: {found}: choose by number, {' or '.join(map(str, places))}")
        return names.index(wanted), True
    elif by_number is not None:
        index = by_number
    else:
        raise UserError(f"--column={column}: {found}")
    # The names of other columns, too, show that there is a header; a damaged number in the first line is none.
    name = names[index] if index < len(names) else ""
    is_header = not _is_number(name, marks) and not re.match(r"[-+.,]*\d", name)
    for place, name in enumerate(names):
        below = [row[place] for row in others if place < len(row)]
        is_header |= (
            name.lower() not in _NOTHING and not _has_digit(name) and bool(below) and all(map(_has_digit, below))
        )
    if is_header and index >= len(names):
        raise UserError(f"--column={column}: {found}")
    return index, is_header


def _has_digit(text):
    return any(map(str.isdigit, text))


class _Numbers:
    """The cells of a column: they are read with decimal points and with decimal commas, until one does not fit.

    Attributes:
      missing: of the missing values, which are NaN here: pairs of the line and the cell.
    """

    def __init__(self, path, marks):
        self._path, self._is_told = path, len(marks) == 1
        self._values = {mark: array.array("d") for mark in marks}
        self._excluded = None  # the line and the cell that exclude one of the marks
        self._grouped = {}  # the first line and number with thousands, by the character between them
        self._either = {}  # the same of numbers that may have thousands or decimals
        self.missing = []

    def __len__(self):
        return len(next(iter(self._values.values())))

    def add(self, line, cell):
        cell, values = cell.strip(), {}
        if cell.isdecimal() and cell.isascii() and len(cell) < 100:  # the same with each mark, and quickly
            for numbers in self._values.values():
                numbers.append(float(cell))
            return
        if list(self._values) == ["."]:
            with contextlib.suppress(ValueError):
                value = number(cell)
                if abs(value) <= 1e100:
                    self._values["."].append(value)
                    return
        for mark in self._values:
            with contextlib.suppress(ValueError):
                values[mark] = _value(cell, mark)
        value = next(iter(values.values()), math.nan)
        if math.isnan(value):
            if cell.lower() not in _NOTHING:
                self._refuse(line, cell)
            self.missing.append((line, cell))
            values = dict.fromkeys(self._values, math.nan)
        elif math.isinf(value):
            raise UserError(f"{self._path} has {cell[:40]} in line {line}: a series has finite numbers only")
        elif abs(value) > 1e100:  # its square is infinite in fp32
            raise UserError(f"{self._path} has {cell[:40]} in line {line}: rescale the series")
        if len(values) < len(self._values):
            self._values, self._excluded = {mark: self._values[mark] for mark in values}, (line, cell)
        for mark, numbers in self._values.items():
            numbers.append(values[mark])
            if grouped := _GROUPED[mark].fullmatch(cell):
                kind = self._either if _EITHER.fullmatch(cell) else self._grouped
                kind.setdefault(grouped[1], (line, cell))

    def _refuse(self, line, cell):
        text = f"{self._path} has {cell[:40]!r} in line {line}"
        if self._excluded and _is_number(cell, ".,"):
            other_line, other = self._excluded
            raise UserError(
                f"{text}, and {other[:40]!r} in line {other_line}: write all with points, or all with commas"
            )
        separators = [name for separator, name in _SEPARATORS.items() if separator in cell]
        advice = ": a header that begins with a digit needs --column=NAME" if line == 1 else ""
        if separators and line > 1:
            advice = f", and by the first lines {separators[0]} separate no columns"
        raise UserError(f"{text}, which is not a number{advice}")

    def result(self):
        """Returns the values, an array, and how they are written, in words.

        Raises:
          UserError: they can be read in two ways.
        """
        mark = next(iter(self._values))  # the point, where both fit
        other = {".": ",", ",": "."}[mark]
        if other in self._either and other not in self._grouped and not self._is_told:
            line, cell = self._either[other]
            raise UserError(
                f"{self._path} has {cell} in line {line}: is it {_value(cell, '.'):g} or {_value(cell, ','):g}? "
                "Nothing in its column says so: give --decimal=point or --decimal=comma"
            )
        words = ["decimal commas"] if mark == "," else []
        grouped = {**self._either, **self._grouped}
        grouped.pop(mark, None)
        words += [f"thousands as in {cell}" for line, cell in list(grouped.values())[:1]]
        return np.array(self._values[mark]), words


def _fill(path, values, gaps, missing):
    """The values without gaps, by linear interpolation if `missing` says so; `gaps` as in `_Numbers.missing`."""
    (line, cell), last = gaps[0], gaps[-1][0]
    if missing != "interpolate":
        raise UserError(
            f"{path} has {repr(cell) if cell else 'an empty field'} in line {line}, a missing value ({len(gaps):,} in "
            "all): fill or cut gaps first, or let --missing=interpolate do it"
        )
    known = np.flatnonzero(~np.isnan(values))
    if not len(known) or known[0] > 0:
        raise UserError(f"{path} begins with a missing value, in line {line}: cut it, it has no value before it")
    if known[-1] < len(values) - 1:
        raise UserError(f"{path} ends with a missing value, in line {last}: cut it, it has no value after it")
    are = "value is" if len(gaps) == 1 else "values are"
    print(f"{os.path.basename(path)}: {len(gaps):,} missing {are} interpolated, the first in line {line}")
    return np.interp(np.arange(len(values)), known, values[known])


def read_column(path, lines, column, missing, decimal):
    """The numbers in a column of a table, whose separators and decimals its first lines show; only they are kept.

    Args:
      lines: yields the number of each line and its text.
      column, missing, decimal: see `reader.read_series`.
    """
    marks = DECIMALS[decimal] if decimal else "".join(DECIMALS.values())
    lines = itertools.dropwhile(lambda line: not line[1].strip(), lines)
    sample = list(itertools.islice(lines, _SAMPLE_LINES))
    told = re.fullmatch('"?sep=([\t;, ])"?', sample[0][1]) if sample else None  # a spreadsheet's own first line
    sample = sample[1:] if told else sample
    shown = [(line, text) for line, text in sample if text.strip(" \t;,")]
    if not shown:
        if column is not None:
            raise UserError(f"--column={column}: {path} is empty")
        return np.empty(0)
    separator = told[1] if told else _find_separator(path, [text for _, text in shown], column, decimal)
    rows = [[cell.strip() for cell in split_cells(path, line, text, separator)] for line, text in shown]
    width = len(rows[0])
    for row in rows:
        while row and not row[-1]:  # a separator at the end of a line
            row.pop()
    index, is_header = _choose_column(path, rows, separator, column, marks)
    start, name = shown[0][0], repr(rows[0][index]) if is_header else f"{index + 1}, without a header"
    width = len(rows[0]) if is_header else width

    numbers, blank = _Numbers(path, marks), []
    for line, text in itertools.chain(sample, lines):
        if line < start or is_header and line == start:
            continue
        if not text.strip(" \t;,"):
            blank.append(line)  # at the end of a file it means nothing
            continue
        cells = split_cells(path, line, text, separator)
        if len(cells) > width and any(cells[width:]):
            raise UserError(
                f"{path} has {len(cells)} columns in line {line}, {width} in line {start}, separated by "
                f"{_SEPARATORS.get(separator, 'nothing')}: correct it"
            )
        for gap in blank if len(numbers) else ():
            numbers.add(gap, "")
        blank.clear()
        numbers.add(line, cells[index] if index < len(cells) else "")
    values, words = numbers.result()
    if numbers.missing:
        values = _fill(path, values, numbers.missing, missing)
    words = ([f"separated by {_SEPARATORS[separator]}"] if separator in _SEPARATORS else []) + words
    if words or is_header:
        print(f"{os.path.basename(path)}: column {', '.join([name, *words])}")
    return values
