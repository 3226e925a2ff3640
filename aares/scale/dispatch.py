"""Who does the work: this process, processes of this machine (joblib), or a cluster (Dask)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from aares.scale.needs import ScaleError, require_scale

if TYPE_CHECKING:
    from distributed import Client

LOCAL = "local"  # the scheduler that is started here
AHEAD = 4  # tasks a thread that wait with a cluster: few enough for a scheduler, of any catalogue
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def run_tasks(
    do: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> Iterator[_Result]:
    """Do tasks side by side.

    Parameters
    ----------
    do : callable
        It and the tasks are sent to other processes.
    tasks : iterable
    workers : int
        Processes of this machine; 1 for this one alone.
    scheduler : str, optional
        Address of a Dask cluster, such as ``tcp://10.0.0.1:8786``, whose workers do it then; or
        ``local`` for one that is started here with so many `workers`.

    Yields
    ------
    object
        What `do` returned, in the order in which tasks are done.

    Raises
    ------
    ScaleError
        A worker or the scheduler ended, or does not answer.
    ValueError
        There are less than 1 workers.

    Examples
    --------
    >>> list(run_tasks(abs, [-1, 2]))
    [1, 2]
    """
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers: expected 1 or more, found {workers!r}")
    if scheduler is not None:
        yield from _run_on_cluster(do, tasks, workers, scheduler)
    elif workers == 1:
        yield from map(do, tasks)
    else:
        yield from _run_here(do, tasks, workers)


def _run_here(
    do: Callable[[_Task], _Result], tasks: Iterable[_Task], workers: int
) -> Iterator[_Result]:
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    run = Parallel(workers, return_as="generator_unordered", batch_size=1)
    try:
        yield from run(delayed(do)(task) for task in tasks)
    except BrokenProcessPool as error:
        raise ScaleError(
            "a worker process ended, killed or out of memory: fewer workers need less"
        ) from error


def _run_on_cluster(
    do: Callable[[_Task], _Result], tasks: Iterable[_Task], workers: int, scheduler: str
) -> Iterator[_Result]:
    require_scale("dask", "distributed")
    from concurrent.futures import CancelledError

    from distributed import as_completed
    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    with _connect(scheduler, workers) as client:
        left = iter(tasks)
        threads = sum(client.nthreads().values()) or workers
        futures = [client.submit(do, t, pure=False) for t in islice(left, AHEAD * threads)]
        done = as_completed(futures)
        try:
            for future in done:
                result = future.result()
                for task in islice(left, 1):
                    done.add(client.submit(do, task, pure=False))
                future.release()
                yield result
        except KilledWorker as error:
            raise ScaleError(
                "a task ended several workers, one after another: killed or out of memory"
            ) from error
        except (CancelledError, CommClosedError) as error:
            raise ScaleError(f"{scheduler}: the scheduler is gone") from error


@contextmanager
def _connect(scheduler: str, workers: int) -> Iterator[Client]:
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        target: Any = scheduler
        if scheduler == LOCAL:
            target = stack.enter_context(
                LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True,
                    host="127.0.0.1", dashboard_address=None, silence_logs=logging.ERROR,
                )
            )  # fmt: skip
        try:
            client = stack.enter_context(Client(target, timeout="10s"))
        except (OSError, ValueError) as error:
            raise ScaleError(f"{scheduler}: no scheduler answers there ({error})") from error
        yield client
