"""README and CONTRIBUTING name what is there."""

from __future__ import annotations

import re

import pytest

from workshop.config import ROOT

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "data/README.md")
FOLDERS = tuple(path.name for path in ROOT.iterdir() if path.is_dir())
MADE = ("data/course", "data/users", "data/cache", "build")  # appear on somebody's machine


def list_paths(text: str) -> set[str]:
    """Return what a document writes as code or links to and that looks like a path of the tree."""
    words = re.findall(r"`([^`\s]+)`|\]\(([^)#\s]+)\)", text)
    names = {code or link for code, link in words}
    names |= set(re.findall(r"(?:^|\s)((?:tests|tools|benchmarks)/[\w/.]+)", text))
    return {
        name
        for name in names
        if re.fullmatch(r"[\w.*/-]+", name)
        and (name.split("/")[0] in FOLDERS or re.fullmatch(r"[\w.-]+\.(py|md|txt|toml|lock)", name))
    }


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name):
    folder = (ROOT / name).parent
    paths = list_paths((ROOT / name).read_text(encoding="utf-8"))
    assert paths, "a document that names no path"
    for path in paths:
        if path.rstrip("/").startswith(MADE):
            continue
        found = [*ROOT.glob(path), *folder.glob(path)]
        assert found, f"{name} names {path}, which is not there"


def test_a_path_that_is_not_there_is_seen():
    text = (
        "see `aares/genre/model.py`, [this](report/report.pdf), `aares/none.py` and `pip install .`"
    )
    assert list_paths(text) == {"aares/genre/model.py", "report/report.pdf", "aares/none.py"}
