"""The page in a real browser, from the disk: what it answers is what Python answers."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest
from browser import check_view
from page_helpers import (
    LABELS,
    N_SONGS,
    PLAIN_TITLES,
    make_few_joins,
    make_small_judged,
    make_small_page,
    make_small_songs,
)

from aares.conformal.evaluate import measure_sets
from aares.conformal.halves import UNKNOWN
from workshop.page import build
from workshop.page.lists import NOBODY

OWN = ("data-identifier.js", "data-excerpts.js", "hear.js", "identify.js", "listen.js")
"""What has tests of its own."""
CONTRASTS = {"light": {}, "dark": {"color_scheme": "dark"}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page as files, and as one file beside them."""
    out = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        made = {"songs": make_small_songs, "joins": make_few_joins}
        files = build.render_page(make_small_page(patch, out, **made))
    index = files["index.html"].decode()
    for name in OWN:
        index = index.replace(f'<script defer src="{name}"></script>', "")
    files["index.html"] = index.encode()
    for name, content in files.items():
        (out / name).write_bytes(content)
    (out / "single.html").write_bytes(build.render_single(files))
    return out


@pytest.fixture
def page(open_page, folder):
    return start(open_page, folder)


def start(open_page, folder, name: str = "index.html", **options):
    page = open_page((folder / name).as_uri(), reduced_motion="reduce", **options)
    page.locator("html[data-ready=yes]").wait_for()
    page.locator("#join .body[data-loaded]").wait_for()
    return page


def search(page, text: str, *keys: str) -> None:
    page.fill("#song-search", text)
    for key in keys:
        page.press("#song-search", key)


def read_names(page, where: str) -> list[str]:
    return page.locator(f"{where} li .song").evaluate_all("(x) => x.map((y) => y.firstChild.data)")


def test_the_page_opens_from_the_disk_as_files_and_as_one_file(open_page, folder):
    for name in ("index.html", "single.html"):
        page = start(open_page, folder, name)
        assert page.locator("h1").inner_text() == "What a song’s numbers give away"
        assert page.locator("#song-name").inner_text() == "Tune 0"
        assert "synthetic" in page.locator("#edition").inner_text()


def test_a_song_is_found_by_keys_and_by_a_click(page):
    from playwright.sync_api import expect

    search(page, "tune 11")
    options = page.locator("#song-found li")
    expect(options).to_have_count(12)  # 11 and 110 to 119, and one by the eleventh singer
    expect(page.locator("#look .told")).to_have_text("The first 12 songs found.")
    expect(page.locator("#song-search")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(page.locator("#song-search")).to_have_attribute("aria-activedescendant", "found-1")
    page.keyboard.press("Enter")
    expect(page.locator("#song-name")).to_have_text("Tune 110")
    expect(page.locator("#song-found")).to_be_hidden()
    search(page, "DEJA singer 1")  # accents, order and case do not matter
    expect(options).to_have_count(1)
    options.first.click()
    expect(page.locator("#song-name")).to_have_text(PLAIN_TITLES[0])
    search(page, "blue", "Enter")
    expect(page.locator("#song-name")).to_have_text(PLAIN_TITLES[1])
    search(page, "nobody")
    expect(page.locator("#look .told")).to_have_text("No song has “nobody” in its title or artist.")
    search(page, "tune", "Escape")
    expect(page.locator("#song-found")).to_be_hidden()


def test_what_is_near_and_next_is_pythons(page):
    from playwright.sync_api import expect

    made = make_small_songs()
    for row in (0, 3, 40):
        search(page, f"Tune {row} ", "Enter")
        expect(page.locator("#song-name")).to_have_text(f"Tune {row}")
        near, path = ([int(x) for x in made[name][row] if x != NOBODY]
                      for name in ("near", "lists"))  # fmt: skip
        assert read_names(page, "#song-near") == [made["names"][x] for x in near]
        assert read_names(page, "#song-list") == [made["names"][x] for x in path]
        assert page.evaluate("AARES.map.path") == [row, *path]
        assert page.evaluate("AARES.map.rings") == near
    page.click("#song-path")
    expect(page.locator("#song-map")).to_be_in_viewport(ratio=0.9)  # where something happens
    assert page.evaluate("AARES.map.path") == []
    expect(page.locator("#song-path")).to_have_attribute("aria-pressed", "false")
    name = made["names"][int(made["lists"][40][2])]
    page.locator("#song-list .song").nth(2).click()
    expect(page.locator("#song-name")).to_have_text(name)
    expect(page.locator("#song-name")).to_be_focused()
    expect(page.locator("#song-name")).to_be_in_viewport()
    page.click("#song-fit")
    expect(page.locator("#song-map")).to_be_in_viewport(ratio=0.9)
    page.click("#song-path")  # the path is drawn again
    places = """AARES.map.path.map((i) => [AARES.map.across(i) / AARES.map.canvas.width,
      AARES.map.down(i) / AARES.map.canvas.height])"""
    seen = page.evaluate(places)
    assert len(seen) == 11 and all(0 < x < 1 and 0 < y < 1 for x, y in seen)


def test_sets_and_their_coverage_are_pythons(page):
    judged = make_small_judged()
    p, known = judged.ranks.p, judged.codes != UNKNOWN
    script = """(levels) => {
      const songs = AARES.look.open(AARES.data.songs);
      return levels.map((eps) => [AARES.look.cover(songs, eps),
        [...Array(songs.n).keys()].map((i) => AARES.look.set(songs, i, eps))]);
    }"""
    # levels that are p-values themselves: a set holds what is above, not what is equal
    levels = [0.03, 0.05, 0.2, float(p[7, 2]), float(p[8, 3]), 0.5, 0.95]
    expected = measure_sets(p[known], judged.codes[known], levels)
    for eps, (cover, sets) in zip(levels, page.evaluate(script, levels), strict=True):
        for row in range(N_SONGS):
            order = np.lexsort((np.arange(len(LABELS)), -p[row]))
            assert sets[row] == [g for g in order.tolist() if p[row, g] > eps]
        told = expected.iloc[levels.index(eps)]
        assert cover == pytest.approx({"coverage": told["coverage"], "size": told["size"]})


def test_the_slider_grows_and_shrinks_the_set(page):
    from playwright.sync_api import expect

    judged = make_small_judged()
    levels = (0.05, 0.3, 0.8, 0.05)
    counts = np.array([(judged.ranks.p > eps).sum(axis=1) for eps in levels])
    row = int(np.flatnonzero((np.diff(counts[:3], axis=0) < 0).all(axis=0))[-1])
    search(page, f"Tune {row}", "Enter")
    expect(page.locator("#song-name")).to_have_text(f"Tune {row}")
    sizes = []
    for eps, expected in zip(levels, counts[:, row].tolist(), strict=True):
        page.locator("#song-eps").fill(str(eps))
        expect(page.locator("#song-set .in")).to_have_count(expected)
        expect(page.locator("#song-size b")).to_have_text(re.compile(rf"^{expected} genre"))
        sizes.append(expected)
    assert sizes[0] > sizes[1] > sizes[2] and sizes[3] == sizes[0]
    known = judged.codes != UNKNOWN
    told = measure_sets(judged.ranks.p[known], judged.codes[known], 0.05).iloc[0]
    expect(page.locator("#song-promise")).to_contain_text("right 19 times in 20")
    expect(page.locator("#song-promise")).to_contain_text(
        f"{100 * told['coverage']:.1f} % of {known.sum()} songs with a known genre"
    )
    page.focus("#song-eps")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#look output")).to_have_text("ε = 0.06")


def test_colours_are_eight_at_most(page):
    from playwright.sync_api import expect

    pressed = page.locator(".legend [aria-pressed=true]")
    expect(pressed).to_have_count(6)
    others = page.locator(".legend [aria-pressed=false]")
    others.first.press("Enter")
    others.first.press("Enter")
    expect(pressed).to_have_count(8)
    others.first.press("Enter")
    expect(pressed).to_have_count(8)
    expect(page.locator(".legend + [role=status]")).to_contain_text("Eight colours")
    assert page.evaluate("new Set(AARES.map.slots).size") == 9
    pressed.first.press("Enter")
    expect(pressed).to_have_count(7)
    judged = make_small_judged()
    page.select_option("#song-colour", "known")
    counts = np.bincount(judged.codes[judged.codes != UNKNOWN], minlength=len(LABELS))
    first = page.locator(".legend button").first
    expect(first).to_have_text(f"{LABELS[counts.argmax()]}{counts.max()}")


def test_the_map_is_moved_and_asked_by_mouse_and_keys(page):
    from playwright.sync_api import expect

    page.locator("#song-map").scroll_into_view_if_needed()
    place = """(i) => [AARES.map.across(i), AARES.map.down(i)].map((v) => v / AARES.map.scale)"""
    box = page.locator("#song-map").bounding_box()
    x, y = page.evaluate(place, 17)
    page.mouse.move(box["x"] + x, box["y"] + y)
    expect(page.locator(".tip")).to_have_text("Tune 17 · Singer 4")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#song-name")).to_have_text("Tune 17")
    before = page.evaluate("AARES.map.view")
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230, steps=4)
    page.mouse.up()
    after = page.evaluate("AARES.map.view")
    assert after["x"] < before["x"] and after["y"] > before["y"] and after["zoom"] == 1
    expect(page.locator("#song-name")).to_have_text("Tune 17")  # a drag is no click
    page.focus("#song-map")
    page.keyboard.press("+")
    assert page.evaluate("AARES.map.view.zoom") == pytest.approx(1.4)
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("AARES.map.view.x") < after["x"]
    page.keyboard.press("0")
    assert page.evaluate("AARES.map.view") == {"x": 0.5, "y": 0.5, "zoom": 1}
    page.keyboard.press("Enter")  # the song in the middle, by the grid as by looking at all
    made = make_small_songs()
    flat = np.column_stack([made["x"], made["y"]]) / 65_535
    nearest = int(((flat - 0.5) ** 2).sum(axis=1).argmin())
    expect(page.locator("#song-name")).to_have_text(made["names"][nearest])


def test_one_picture_a_frame_however_often_it_is_asked(page):
    drawn = page.evaluate("""() => new Promise((done) => requestAnimationFrame(() => {
      const before = AARES.map.frames;
      for (let k = 0; k < 50; k++) AARES.map.move(1, 0);
      requestAnimationFrame(() => requestAnimationFrame(() => done(AARES.map.frames - before)));
    }))""")
    assert drawn == 1


def test_a_join_is_as_likely_as_python_says(page):
    from playwright.sync_api import expect

    data = make_few_joins()
    for a, b in ((0, 1), (1, 2), (2, 0)):
        page.select_option("#join-first", str(a))
        page.select_option("#join-second", str(b))
        share = data["likely"][a, b] / 65_535
        digits = 1 if share < 0.1 else 0
        expect(page.locator("#join-number")).to_have_text(f"{100 * share:.{digits}f} %")
        expect(page.locator("#join-reasons li")).to_have_text(data["reasons"][a][b])
        order = sorted({0, 1, 2} - {a}, key=lambda c: (-int(data["likely"][a, c]), c))
        assert read_names(page, "#join-best") == [f"{data['names'][x]}" for x in order]
    page.click("text=Swap")
    assert [page.input_value(x) for x in ("#join-first", "#join-second")] == ["0", "2"]
    other = page.locator("#join-best [aria-pressed=false]")
    other.press("Enter")
    assert [page.input_value(x) for x in ("#join-first", "#join-second")] == ["0", "1"]
    expect(page.locator("#join-best [aria-pressed=true]")).to_be_focused()


RENDER = """async (kind) => {
  const data = AARES.data.joins, context = new OfflineAudioContext(1, 1, data.rate);
  const [a, b] = await Promise.all([data.ends[0], data.starts[1]]
    .map((clip) => AARES.meet.decodeClip(context, clip)));
  const where = AARES.join.plan(a, b, kind);
  const offline = new OfflineAudioContext(1, where.total, data.rate);
  AARES.join.schedule(offline, a, b, kind);
  const heard = (await offline.startRendering()).getChannelData(0);
  const encode = (values) => {
    let text = "";
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  };
  return [where, ...[a.getChannelData(0), b.getChannelData(0), heard].map(encode)];
}"""


def test_a_cut_is_exact_to_the_sample(page):
    where, *sounds = page.evaluate(RENDER, "cut")
    a, b, heard = (np.frombuffer(base64.b64decode(x), np.float32) for x in sounds)
    assert len(a) == len(b) == 6 * 22_050 and where["start"] == len(a)
    near = slice(len(a) - 4000, len(a) + 4000)
    assert np.array_equal(heard[near], np.concatenate([a, b])[near])
    assert np.abs(a[-2000:]).max() > 0.001 and np.abs(b[:2000]).max() > 0.001


def test_a_join_is_played_and_stopped(page):
    from playwright.sync_api import expect

    for button in ("#join-play", "#join-near"):
        expect(page.locator(button)).not_to_have_text("Stop")
        page.press(button, "Enter")
        expect(page.locator(button)).to_have_text("Stop")
        page.press(button, "Enter")
        expect(page.locator(button)).not_to_have_text("Stop")
    page.press("#join-play", "Enter")
    page.check("[name=join-kind][value=gap]")
    expect(page.locator("#join-play")).to_have_text("Play both")


@pytest.mark.parametrize("scheme", CONTRASTS)
def test_all_of_it_has_a_name_and_can_be_read_and_reached(open_page, folder, scheme):
    page = start(open_page, folder, **CONTRASTS[scheme])
    for details in page.locator("details").all():
        details.locator("summary").click()
    page.evaluate("document.activeElement.blur()")
    check_view(page, tab_stops=30)


def test_nothing_is_cut_off_on_a_phone(open_page, folder):
    page = start(open_page, folder, viewport={"width": 360, "height": 740})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    script = "(all) => all.map((x) => x.getBoundingClientRect()).map((x) => [x.width, x.height])"
    sizes = page.locator("button:visible").evaluate_all(script)
    assert len(sizes) > 30 and min(min(size) for size in sizes) >= 32
    # Whose dot was touched is said right below the map, not below 22 genres.
    tops = [page.locator(name).bounding_box()["y"] for name in ("#song-map", ".card", ".legend")]
    assert tops == sorted(tops)
