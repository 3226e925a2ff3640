"""Bonus exercise: how sure a predicted genre is, by conformal prediction.

Notebook ``05_conformal``. The course's class for one song is in ``utils_projet``; here, beyond the
assignment, are the p-values of many songs at once, their variants, and what is measured on them.

* :mod:`aares.conformal.full`: full conformal prediction with nearest neighbours;
* :mod:`aares.conformal.split`: split conformal prediction on the probabilities of any classifier;
* :mod:`aares.conformal.evaluate`: coverage, set size, similarity of genres in a set;
* :mod:`aares.conformal.space`: the space in which the neighbours are measured;
* :mod:`aares.conformal.naming`: names for songs that are numbers only;
* :mod:`aares.conformal.checks`: what every function asks of p-values and labels.

Conventions
-----------
``p`` is an array (m songs, n_labels) of p-values, labels in the order of ``np.unique(y)``;
``codes`` are positions in that order, shape (m,). The prediction set at ``eps`` is ``p > eps``:
every method here is a way to make such p-values, so that one function measures them all. Tables
are read by the names of their columns, arrays as they stand.

Among n examples no p-value is below 1 / (n + 1). Where that exceeds eps, a set can exclude nothing:
whoever asks for such sets gets a ``utils_projet.TooFewExamplesWarning``.

References
----------
.. [1] G. Shafer and V. Vovk, "A Tutorial on Conformal Prediction", JMLR 9, 2008.
.. [2] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World",
   Springer, 2005.
.. [3] M. Sadinle, J. Lei and L. Wasserman, "Least Ambiguous Set-Valued Classifiers With Bounded
   Error Levels", JASA 114, 2019 (LAC).
.. [4] Y. Romano, M. Sesia and E. Candès, "Classification with Valid and Adaptive Coverage",
   NeurIPS 2020 (APS).
.. [5] A. Angelopoulos, S. Bates, J. Malik and M. Jordan, "Uncertainty Sets for Image Classifiers
   using Conformal Prediction", ICLR 2021 (RAPS).
"""

from aares.conformal.evaluate import (
    cover_by_label,
    cover_in_draws,
    judge_singletons,
    measure_lift,
    measure_sets,
    order_labels,
    repeat_bags,
)
from aares.conformal.full import (
    compute_mondrian,
    compute_shortcut,
    compute_smoothed,
    force_predictions,
    p_values,
    rate_confidence,
    rate_credibility,
    read_p_values,
)
from aares.conformal.naming import name_songs
from aares.conformal.space import choose_space, describe_songs, make_space_model
from aares.conformal.split import score_labels, split_p_values

__all__ = [
    "choose_space",
    "compute_mondrian",
    "compute_shortcut",
    "compute_smoothed",
    "cover_by_label",
    "cover_in_draws",
    "describe_songs",
    "force_predictions",
    "judge_singletons",
    "make_space_model",
    "measure_lift",
    "measure_sets",
    "name_songs",
    "order_labels",
    "p_values",
    "rate_confidence",
    "rate_credibility",
    "read_p_values",
    "repeat_bags",
    "score_labels",
    "split_p_values",
]
