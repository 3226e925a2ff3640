"""Searchers: processes that look for one file at a time, kept in number whatever happens to them.

A search holds Python's lock and cannot be interrupted, so it has a process of its own: one that
takes too long is ended, one that dies is started again.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import aares
from aares.serve.limits import Limits
from aares.serve.refusals import RequestError

LONGEST_REPLY = 1 << 26  # bytes
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0  # before one is started again that did not live
LIVED_S = 10.0
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class DeadSearcherError(Exception):
    """A searcher ended before it answered."""


class Searcher:
    """A process that answers.

    Parameters
    ----------
    process : asyncio subprocess
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @classmethod
    async def start(cls, *words: str) -> Searcher:
        """Start a process, and wait until it can answer.

        Parameters
        ----------
        *words : str
            Its program and arguments.

        Returns
        -------
        Searcher

        Raises
        ------
        DeadSearcherError
            It ended at once; it has said why on standard error.
        """
        root = str(Path(aares.__file__).resolve().parent.parent)
        paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        environment |= dict.fromkeys(THREADS, "1")  # a core each
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            limit=LONGEST_REPLY, start_new_session=True, env=environment,
        )  # fmt: skip
        searcher = cls(process)
        try:
            await searcher._read()
        except BaseException:
            searcher.kill()
            raise
        return searcher

    @property
    def is_alive(self) -> bool:
        """Tell whether it still runs.

        Returns
        -------
        bool
        """
        return self.process.returncode is None

    async def ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Send a job, and wait for what comes back.

        Parameters
        ----------
        job : mapping

        Returns
        -------
        dict

        Raises
        ------
        DeadSearcherError
            It died.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            await self.process.stdin.drain()
        except OSError as error:
            raise DeadSearcherError from error
        return await self._read()

    async def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise DeadSearcherError
        found: dict[str, Any] = json.loads(line)
        return found

    def kill(self) -> None:
        """End it and what it started, such as ffmpeg."""
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()

    async def stop(self) -> None:
        """Let it end by itself: nothing more is sent."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(2.0):
                await self.process.wait()
        except TimeoutError:
            self.kill()
            await self.process.wait()


class Pool:
    """Searchers on one index.

    Parameters
    ----------
    index : str or Path
    folder : str or Path
        Of the uploads.
    n_searchers : int
    limits : Limits
    program : sequence of str, optional
        Of a searcher; it gets the index, the folder and the time of a search.
    """

    def __init__(
        self,
        index: str | Path,
        folder: str | Path,
        *,
        n_searchers: int,
        limits: Limits,
        program: tuple[str, ...] = (sys.executable, "-m", "aares.serve.searcher"),
    ) -> None:
        self.limits, self.n_searchers = limits, n_searchers
        self.n_waiting = self.n_searching = self.n_restarted = 0
        self._words = (*program, str(index), str(folder), str(limits.search_s))
        self._free: asyncio.Queue[Searcher] = asyncio.Queue()
        self._searchers: set[Searcher] = set()
        self._keepers: list[asyncio.Task[None]] = []

    @property
    def n_ready(self) -> int:
        """Count the searchers that can answer.

        Returns
        -------
        int
        """
        return sum(searcher.is_alive for searcher in self._searchers)

    async def start(self) -> None:
        """Start the searchers; from now on there are as many, as far as they can be started."""
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self.n_searchers)]

    async def stop(self) -> None:
        """End the searchers."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*(searcher.stop() for searcher in self._searchers))

    async def _keep(self) -> None:
        """Keep one searcher running."""
        clock, pause_s = asyncio.get_running_loop().time, FIRST_PAUSE_S
        while True:
            begin = clock()
            with suppress(DeadSearcherError, OSError):
                searcher = await Searcher.start(*self._words)
                self._searchers.add(searcher)
                self._free.put_nowait(searcher)
                await searcher.process.wait()
                self._searchers.discard(searcher)
            self.n_restarted += 1
            lived = clock() - begin >= LIVED_S
            pause_s = FIRST_PAUSE_S if lived else min(2 * pause_s, LONGEST_PAUSE_S)
            await asyncio.sleep(pause_s)

    def refuse_more(self) -> None:
        """Refuse a request where too many wait.

        Raises
        ------
        RequestError
        """
        if self.n_waiting >= self.limits.n_waiting:
            raise RequestError(503, f"{self.n_waiting} requests are waiting already", retry_s=2)

    async def ask(
        self, job: Mapping[str, Any], *, is_gone: Callable[[], Awaitable[bool]] | None = None
    ) -> dict[str, Any]:
        """Have a file looked for, as soon as a searcher is free.

        Parameters
        ----------
        job : mapping
            See `searcher.answer_job`.
        is_gone : callable, optional
            Tells whether the client has left: then nothing is searched for it.

        Returns
        -------
        dict
            As `searcher.answer_job` gives it.

        Raises
        ------
        RequestError
            Too many wait, it waited or was searched for too long, or the searcher died.
        """
        self.refuse_more()
        searcher = await self._wait()
        if is_gone is not None and await is_gone():
            self._free.put_nowait(searcher)
            raise RequestError(499, "the client has left")
        self.n_searching += 1
        found = None
        try:
            async with asyncio.timeout(self.limits.search_s):
                found = await searcher.ask(job)
        except TimeoutError:
            raise RequestError(
                504, f"the search took more than {self.limits.search_s:g} s; send a shorter piece"
            ) from None
        except DeadSearcherError:
            raise RequestError(503, "the search broke off", retry_s=1) from None
        finally:
            self.n_searching -= 1
            if found is None:  # an answer may still come, which would be another's
                searcher.kill()
            else:
                self._free.put_nowait(searcher)
        return found

    async def _wait(self) -> Searcher:
        """Return a searcher that nobody else has."""
        self.n_waiting += 1
        try:
            async with asyncio.timeout(self.limits.wait_s):
                while not (searcher := await self._free.get()).is_alive:
                    pass
            return searcher
        except TimeoutError:
            raise RequestError(
                503, f"no searcher was free for {self.limits.wait_s:g} s", retry_s=5
            ) from None
        finally:
            self.n_waiting -= 1
