"""A command line that says what may have been meant; :mod:`argparse` lists all that there is."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import takewhile
from types import MappingProxyType
from typing import Any, NoReturn


class Parser(argparse.ArgumentParser):
    """A command line that says what may have been meant.

    Examples
    --------
    Standard error has: no command 'idex'; did you mean 'index'?

    >>> parser = Parser()
    >>> _ = parser.add_commands().add_parser("index")
    >>> parser.parse_args(["index"]).command
    'index'
    >>> parser.parse_args(["idex"])
    Traceback (most recent call last):
    SystemExit: 2
    """

    names: Mapping[str, argparse.ArgumentParser] = MappingProxyType({})

    def add_commands(self, *, title: str = "commands", required: bool = False) -> Any:
        """Make the place of commands.

        Parameters
        ----------
        title : str
            Above them in the help.
        required : bool
            Whether one must be given.

        Returns
        -------
        argparse subparsers

        Examples
        --------
        >>> parser = Parser()
        >>> _ = parser.add_commands().add_parser("index")
        >>> list(parser.names)
        ['index']
        """
        commands = self.add_subparsers(
            title=title, metavar="COMMAND", dest="command", required=required,
            parser_class=argparse.ArgumentParser,
        )  # fmt: skip
        self.names = commands.choices
        return commands

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what is known; see `argparse`.

        An unknown option before the command is refused: its value would pass for the command.

        Parameters
        ----------
        args : sequence of str, optional
        namespace : argparse.Namespace, optional

        Returns
        -------
        options : argparse.Namespace
        rest : list of str

        Examples
        --------
        >>> Parser().parse_known_args(["--help-me"])
        Traceback (most recent call last):
        SystemExit: 2
        """
        given = sys.argv[1:] if args is None else list(args)
        known = _list_options(self)
        for word in takewhile(lambda word: word not in self.names, given):
            name = word.partition("=")[0]
            if name.startswith("--") and not any(option.startswith(name) for option in known):
                self.error(f"unknown option {name!r}{_suggest(name, known)}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end the program, with status 2.

        Parameters
        ----------
        message : str

        Examples
        --------
        >>> Parser().error("what is wrong, to standard error")
        Traceback (most recent call last):
        SystemExit: 2
        """
        choice = re.match(r"argument COMMAND: invalid choice: '(.*)' \(choose from", message)
        if choice:
            message = f"no command {choice[1]!r}{_suggest(choice[1], self.names)}"
        super().error(message)

    def refuse(self, rest: Sequence[str], options: argparse.Namespace) -> None:
        """End the program if anything of the command line was not understood.

        Parameters
        ----------
        rest : sequence of str
            From `parse_known_args`.
        options : argparse.Namespace
            From there too; ``command`` is the one that was chosen.

        Examples
        --------
        >>> parser = Parser()
        >>> parser.refuse([], argparse.Namespace(command=None))
        >>> parser.refuse(["--jsn"], argparse.Namespace(command=None))
        Traceback (most recent call last):
        SystemExit: 2
        """
        if rest and rest[0].startswith("-"):
            parsers = (self, self.names.get(options.command or "", self))
            known = [option for parser in parsers for option in _list_options(parser)]
            name = rest[0].partition("=")[0]
            self.error(f"unknown option {name!r}{_suggest(name, known)}")
        if rest:
            self.error(f"unknown argument {rest[0]!r}")


def _suggest(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, known, 1, 0.7)
    names = ", ".join(dict.fromkeys(known))
    return f"; did you mean {near[0]!r}?" if near else f"; there are {names}"


def _list_options(parser: argparse.ArgumentParser) -> list[str]:
    return re.findall(r"--[a-z-]+", parser.format_help())
