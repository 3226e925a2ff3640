"""Exercise 1: AutoGluon on the raw columns beside our classifier, on the first reported split.

    python benchmarks/autogluon.py                 20 minutes of training, preset medium_quality
    python benchmarks/autogluon.py --minutes 5     less

AutoGluon is no dependency of the project, and pins versions that differ from requirements.lock: it
lives in an environment of its own, `build/autogluon`, or where `--python` says. How to make it is
in requirements-bench.txt. Without it the benchmark says so and ends with status 77.

Both learn from `train_test_split(X, y, train_size=0.8, random_state=17)`. AutoGluon sees the 16
columns as they are in the file; ours adds the songs of exercise 2 that the rule labels.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.remove(str(Path(__file__).resolve().parent))  # it would hide the package `autogluon`
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from workshop.config import ROOT, SKIPPED

SPLIT = 17
MINUTES = 20
HOW = """AutoGluon is missing. To install it in an environment of its own:
    python3 -m venv build/autogluon
    build/autogluon/bin/python -m pip install -r requirements-bench.txt"""


def main() -> int:
    """Run both on the split and print accuracies; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=MINUTES, help="training time")
    parser.add_argument("--python", default=_find_python(), help="interpreter with AutoGluon")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        train_autogluon(options.worker, options.minutes)
        return 0
    probe = [options.python, "-c", "import autogluon.tabular"]
    if subprocess.run(probe, cwd=ROOT, capture_output=True).returncode:
        print(HOW, file=sys.stderr)
        return SKIPPED
    compare(options.python, options.minutes)
    return 0


def _find_python() -> str:
    folder = ROOT / "build" / "autogluon"
    found = [folder / "bin" / "python", folder / "Scripts" / "python.exe"]
    return str(next((path for path in found if path.is_file()), sys.executable))


def compare(python: str, minutes: float) -> None:
    """Score AutoGluon and our classifier on the same songs.

    Parameters
    ----------
    python : str
        Interpreter of the environment that has AutoGluon.
    minutes : float
        AutoGluon's training time.
    """
    import pandas as pd
    from sklearn.model_selection import train_test_split

    from aares import data
    from aares.genre import make_model, remove_songs
    from workshop.config import find_data

    source = find_data()
    train, test = data.load_train(source), data.load_test(source)
    extra = remove_songs(data.load_subset(source), train, test)
    X, y = train.drop(columns="genre"), train["genre"]
    a, b, ya, yb = train_test_split(X, y, train_size=0.8, random_state=SPLIT)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        a.assign(genre=ya).to_csv(folder / "train.csv", index=False)
        b.to_csv(folder / "test.csv", index=False)
        command = [python, __file__, "--worker", name, "--minutes", str(minutes)]
        start = time.perf_counter()
        subprocess.run(command, cwd=name, check=True)
        automatic = time.perf_counter() - start
        answers = pd.read_csv(folder / "answers.csv")["genre"].to_numpy()
    start = time.perf_counter()
    ours = make_model(extra).fit(a, ya).predict(b)
    own = time.perf_counter() - start

    scores = {"AutoGluon": (answers == yb).mean(), "ours": (ours == yb).mean()}
    print(f"AutoGluon, medium_quality, raw columns  {scores['AutoGluon']:.4f}  {automatic:5.0f} s")
    print(f"ours                                    {scores['ours']:.4f}  {own:5.0f} s")
    print(f"difference                             {scores['ours'] - scores['AutoGluon']:+.4f}")


def train_autogluon(folder: Path, minutes: float) -> None:
    """Learn from ``train.csv``, answer ``test.csv`` in ``answers.csv``.

    Parameters
    ----------
    folder : Path
    minutes : float
        Training time.
    """
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    predictor = TabularPredictor(
        "genre", eval_metric="accuracy", path=str(folder / "models"), verbosity=1
    ).fit(
        pd.read_csv(folder / "train.csv"),
        presets="medium_quality",
        time_limit=60 * minutes,
        num_gpus=0,
    )
    test = pd.read_csv(folder / "test.csv")
    models = predictor.leaderboard()[["model", "score_val", "fit_time"]]
    print(models.round(3).to_string(index=False), flush=True)
    predictor.predict(test).rename("genre").to_csv(folder / "answers.csv", index=False)


if __name__ == "__main__":
    sys.exit(main())
