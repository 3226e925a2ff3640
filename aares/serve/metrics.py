"""What the service counts, in the text that Prometheus reads.

References
----------
.. [1] Prometheus, "Exposition formats", text-based format 0.0.4: names, labels, histograms whose
   buckets hold all values up to their limit.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
KIND = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts of requests, and of how long they took.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.count_request("/identify", 200, 0.03)
    >>> metrics.count_outcome("match")
    >>> lines = metrics.write({"aares_recordings": 13}).splitlines()
    >>> [line for line in lines if line[0] != "#" and "bucket" not in line][:2]
    ['aares_requests_total{path="/identify",status="200"} 1', 'aares_outcomes_total{outcome="match"} 1']
    """  # noqa: E501

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._slots = [0] * (len(BUCKETS_S) + 1)
        self._total_s = 0.0

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request.

        Parameters
        ----------
        path : str
            One of the service's: there is a line for each.
        status : int
            Of HTTP.
        seconds : float
            From its head to its reply; those of files that were searched for make the histogram.
        """
        self._requests[path, status] += 1
        if path == "/identify" and status == 200:
            self._slots[bisect_left(BUCKETS_S, seconds)] += 1
            self._total_s += seconds

    def count_outcome(self, outcome: str) -> None:
        """Count what became of a file.

        Parameters
        ----------
        outcome : str
            A reason of `aares.identify.Answer`, "several", or "refused".
        """
        self._outcomes[outcome] += 1

    def write(self, levels: Mapping[str, float]) -> str:
        """Write all counts.

        Parameters
        ----------
        levels : mapping of str to float
            What is not counted but found, such as the size of the index, by name.

        Returns
        -------
        str
            In the text format [1]_.
        """
        lines = ["# TYPE aares_requests_total counter"]
        lines += [
            f'aares_requests_total{{path="{path}",status="{status}"}} {n}'
            for (path, status), n in sorted(self._requests.items())
        ]
        lines.append("# TYPE aares_outcomes_total counter")
        lines += [
            f'aares_outcomes_total{{outcome="{outcome}"}} {n}'
            for outcome, n in sorted(self._outcomes.items())
        ]
        lines.append("# TYPE aares_identify_seconds histogram")
        reached = 0
        for limit, n in zip((*map(str, BUCKETS_S), "+Inf"), self._slots, strict=True):
            reached += n
            lines.append(f'aares_identify_seconds_bucket{{le="{limit}"}} {reached}')
        lines += [
            f"aares_identify_seconds_sum {self._total_s:.6f}",
            f"aares_identify_seconds_count {reached}",
        ]
        for name, level in levels.items():
            lines += [f"# TYPE {name} gauge", f"{name} {level}"]
        return "\n".join(lines) + "\n"
