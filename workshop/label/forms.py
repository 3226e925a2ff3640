"""What a request may hold: each field is read, or refused in a sentence."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from aares.serve.refusals import RequestError

LONGEST_NAME = 64
DAY_MS = 86_400_000
Reader = Callable[[Any], Any]


def read_json(body: bytes) -> dict[str, Any]:
    """Read the body of a request.

    Parameters
    ----------
    body : bytes

    Returns
    -------
    dict

    Raises
    ------
    RequestError
        It is no JSON object.

    Examples
    --------
    >>> read_json(b'{"name": "Ann"}')
    {'name': 'Ann'}
    >>> read_json(b'{"name": ')
    Traceback (most recent call last):
        ...
    aares.serve.refusals.RequestError: expected a JSON object, found no JSON
    """
    try:
        found = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # of bytes, of JSON, of digits without end
        raise RequestError(400, "expected a JSON object, found no JSON") from error
    if not isinstance(found, dict):
        raise RequestError(400, f"expected a JSON object, found {type(found).__name__}")
    return found


def read_form(found: Mapping[str, Any], form: Mapping[str, Reader]) -> dict[str, Any]:
    """Read the fields of a form; others are passed over.

    Parameters
    ----------
    found : mapping
    form : mapping of str to callable
        Reads a value, or raises ValueError with what it expected.

    Returns
    -------
    dict

    Raises
    ------
    RequestError
        A field is missing or none of its kind.

    Examples
    --------
    >>> read_form({"replays": 2}, {"replays": count(10)})
    {'replays': 2}
    >>> read_form({"replays": "2"}, {"replays": count(10)})
    Traceback (most recent call last):
        ...
    aares.serve.refusals.RequestError: replays: expected a whole number from 0 to 10
    """
    values = {}
    for name, read in form.items():
        if name not in found:
            raise RequestError(400, f"{name}: expected in the request, found none")
        try:
            values[name] = read(found[name])
        except ValueError as error:
            raise RequestError(400, f"{name}: expected {error}") from error
    return values


def count(most: int, least: int = 0) -> Reader:
    """Make the reader of a whole number.

    Parameters
    ----------
    most, least : int

    Returns
    -------
    callable

    Examples
    --------
    >>> count(9)(3)
    3
    """

    def _read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return _read


def one_of(*choices: str) -> Reader:
    """Make the reader of one of some words.

    Parameters
    ----------
    *choices : str

    Returns
    -------
    callable

    Examples
    --------
    >>> one_of("yes", "no")("no")
    'no'
    """

    def _read(value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return value

    return _read


def read_text(value: Any) -> str:
    """Read a short text: of 1 to 64 characters that can be shown and kept.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        Composed (NFC), without space around it. Markup is text like any other: who shows it has to
        escape it.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> read_text(" <b>Ann</b> ")
    '<b>Ann</b>'
    >>> read_text("")
    Traceback (most recent call last):
        ...
    ValueError: a text of 1 to 64 characters
    """
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else ""
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError(f"a text of 1 to {LONGEST_NAME} characters")
    if any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in text):
        raise ValueError("a text without control characters")
    return text


def read_uuid(value: Any) -> str:
    """Read a UUID.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        In small letters.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> read_uuid("0F8FAD5B-D9CB-469F-A165-70867728950E")
    '0f8fad5b-d9cb-469f-a165-70867728950e'
    """
    pattern = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    if not isinstance(value, str) or not re.fullmatch(pattern, value.lower(), re.ASCII):
        raise ValueError("a UUID")
    return value.lower()


def read_truth(value: Any) -> bool:
    """Read true or false.

    Parameters
    ----------
    value : object

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        It is neither.

    Examples
    --------
    >>> read_truth(True)
    True
    """
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def read_trials(value: Any) -> list[int]:
    """Read the answers of a headphone check.

    Parameters
    ----------
    value : object

    Returns
    -------
    list of int
        Six, each 1 to 3.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> read_trials([1, 2, 3, 1, 2, 3])
    [1, 2, 3, 1, 2, 3]
    """
    if not isinstance(value, list) or len(value) != 6:
        raise ValueError("six answers of 1 to 3")
    return [count(3, 1)(answer) for answer in value]


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


JOINS = ("cut", "gap", "fade")
OF_RATER: Mapping[str, Reader] = {
    "uuid": read_uuid,
    "name": read_text,
    "device": one_of("headphones", "loudspeakers"),
    "join": one_of(*JOINS),
}
OF_HEADPHONES: Mapping[str, Reader] = {
    "uuid": read_uuid, "rater": read_text, "answers": read_trials,
}  # fmt: skip
OF_ANSWER: Mapping[str, Reader] = {
    "uuid": read_uuid,
    "rater": read_text,
    "pair": read_text,
    "answer": one_of("yes", "no", "unsure"),
    "heard_ms": count(DAY_MS),
    "join_heard": read_truth,
    "replays": count(10_000),
    "reaction_ms": count(DAY_MS),
    "join": one_of(*JOINS),
    "levels": one_of("levelled", "record"),
    "rate": count(768_000, 8_000),
    "page_version": read_text,
}
OF_UNDO: Mapping[str, Reader] = {"uuid": read_uuid, "rater": read_text, "of": read_uuid}
OF_SKIP: Mapping[str, Reader] = {"uuid": read_uuid, "rater": read_text, "pair": read_text}
