"""The labelling page in a real browser: what is typed is what is stored, once each."""

from __future__ import annotations

import io
import json
import logging
import re

import numpy as np
import pytest
import soundfile as sf
from browser import check_view, run_server, write_songs

from workshop import handin
from workshop.config import ROOT
from workshop.label.picture import PICTURE

PAGE = ROOT / "workshop" / "label" / "page"
KEYS = {"y": "yes", "n": "no", "u": "unsure"}
OPEN = "#answers button[aria-disabled=false]"
MIRROR = """() => {
  const ask = window.fetch;
  window.given = [];
  window.fetch = async (url, options) => {
    const reply = await ask(url, options);
    if (!String(url).includes("/api/next")) return reply;
    const presentation = ["mirrored", "plain"][given.length % 2];
    given.push(presentation);
    return Response.json({ ...await reply.json(), presentation });
  };
}"""
"""Each second pair is presented with its buttons on the other side, the first one so."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Clips of 0.15 s; one song has markup in its name."""
    folder = tmp_path_factory.mktemp("label")
    songs = write_songs(folder / "songs", 14)
    (songs / "00 tone.wav").rename(songs / "00 <b>&amp; tone.wav")
    yield from run_server(folder, songs, quick=True)


def begin(page, name: str, *, device: str = "loudspeakers", join: str = "cut") -> None:
    """Fill the first page in."""
    page.fill("#name", name)
    page.check(f"[value={device}]")
    page.check(f"[value={join}]")
    page.click("text=Begin with four")


def answer(page, key: str) -> None:
    """Press a key once the join was heard, and see that it counted."""
    try:
        page.locator(OPEN).first.wait_for(timeout=3000)
    except Exception:  # the next pair was not there at once, and waits for a key
        page.keyboard.press("j")
        page.locator(OPEN).first.wait_for()
    page.keyboard.press(key)


def practise(*pages) -> None:
    """Answer the four pairs that do not count; the first that does begins to play."""
    from playwright.sync_api import expect

    for page in pages:
        expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
        page.keyboard.press(" ")
    for number in range(1, 5):
        for page in pages:
            expect(page.locator("#practice")).to_have_text(f"Practice {number} of 4, not counted")
            answer(page, "y")
            expect(page.locator("#told")).to_have_text(re.compile("^We say (so too|no): It is one"))
            page.keyboard.press(" ")


def make_sound(seconds: float) -> bytes:
    stream = io.BytesIO()
    sf.write(stream, np.full(int(seconds * 8000), 0.1), 8000, format="WAV")
    return stream.getvalue()


def count_marks(page, name: str) -> int:
    return page.evaluate("(name) => performance.getEntriesByName(name).length", name)


def read_waits(page) -> list[float]:
    """Return milliseconds from each answer to the first sample of the pair that follows at once."""
    script = """() => ["answer", "sound"].map((x) => performance.getEntriesByName(x)
                     .map((y) => y.startTime))"""
    answers, sounds = page.evaluate(script)
    waits = [min((t - at for t in sounds if t > at), default=1e9) for at in answers]
    return [wait for wait in waits if wait < 1000]


# --- what stands in the files


def test_the_page_is_small_and_brings_everything_with_it():
    texts = {path.name: path.read_text(encoding="utf-8") for path in PAGE.iterdir()}
    parts = ("index.html", "label.css", "label.js", "join.js")
    shared = texts["join.js"].count("\n")  # with the page beside the report
    assert sum(texts[name].count("\n") for name in parts) - shared < 560 and shared < 50
    html = texts["index.html"]
    assert re.findall(r"<script(?! type=\"module\" src=\"/label.js\"></script>)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=|javascript:", html) == []
    for name in parts:
        assert re.findall(r"https?://|@import|\beval\(|innerHTML|insertAdjacent", texts[name]) == []


def test_the_page_is_handed_in_with_its_server():
    entries = {path for item in handin.CODE for path in ROOT.glob(item)}
    assert {*PAGE.iterdir(), PICTURE} <= entries


# --- one session


def test_a_session_from_the_first_page_to_the_last(open_page, server):
    from playwright.sync_api import expect

    page = open_page(server.url)
    expect(page.locator("#definition")).to_contain_text("B can follow A if")
    page.click("text=Begin with four")  # without a name
    expect(page.locator("#pairs")).to_be_hidden()
    begin(page, "Ada")
    practise(page)
    expect(page.locator("#practice")).to_contain_text("No brutal change")
    assert server.list_answers("Ada") == []

    for key in "ynu":
        answer(page, key)
    expect(page.locator("#count")).to_have_text("3 of 40")
    expect(page.locator("#told")).to_contain_text("You said unsure: ")
    page.keyboard.press("z")
    expect(page.locator("#count")).to_have_text("2 of 40")
    page.keyboard.press("z")  # the last one only
    answer(page, "n")
    expect(page.locator("#count")).to_have_text("3 of 40")
    page.locator(OPEN).first.wait_for()
    page.keyboard.press("l")  # other levels have to be heard, too
    expect(page.locator("#levels")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(OPEN)).to_have_count(0)
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("j")
    answer(page, "y")
    expect(page.locator("#unsaved")).to_have_text("")
    assert server.list_answers("Ada") == ["yes", "no", "no", "yes"]
    found = server.ask("SELECT body FROM events WHERE kind = 'answer' ORDER BY number")
    bodies = [json.loads(body) for (body,) in found][4:]
    assert [body["levels"] for body in bodies] == ["levelled"] * 4 + ["record"]
    assert [body["join"] for body in bodies] == ["cut"] * 5
    assert all(250 < body["heard_ms"] < 10_000 and body["rate"] >= 8000 for body in bodies)
    assert all(0 <= body["reaction_ms"] < 10_000 and body["replays"] >= 0 for body in bodies)

    page.click("text=Stop for today")
    expect(page.locator("#thanks")).to_have_text("Thank you, Ada.")
    expect(page.locator("#summary")).to_have_text(
        "You gave 4 answers today. 36 more wait for another day."
    )
    expect(page.locator("#titles li")).to_have_count(4)
    expect(page.locator("#tally dd")).to_have_text(["2", "2", "0"])
    page.click("text=Go on after all")
    expect(page.locator("#pairs")).to_be_visible()
    expect(page.locator("#count")).to_have_text("4 of 40")


def test_nothing_counts_before_its_join(open_page, server):
    """With sounds of eight seconds: after a few, the join is still far away."""
    from playwright.sync_api import expect

    page = open_page(server.url)
    page.route("**/clip/**", lambda route: route.fulfill(body=make_sound(8.0)))
    begin(page, "Hasty")
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    for is_playing in (False, True):
        if is_playing:
            page.keyboard.press(" ")
        page.keyboard.press("y")
        expect(page.locator("#hint")).to_contain_text("First the join")
        page.click("#answers >> text=No", force=True)
    page.keyboard.press("j")  # the second before it, and on
    page.keyboard.press("y")
    expect(page.locator("#told")).to_be_hidden()
    page.locator(OPEN).first.wait_for()
    page.keyboard.press("y")
    expect(page.locator("#told")).to_be_visible()
    expect(page.locator("#unsaved")).to_have_text("")
    assert server.ask("""SELECT count(*) FROM events WHERE kind = 'answer' AND rater = (
        SELECT rater FROM events WHERE json_extract(body, '$.name') = 'Hasty')""") == [(1,)]
    page.unroute_all(behavior="ignoreErrors")


def test_nothing_sounds_without_a_key_or_a_click(open_page, server):
    from playwright.sync_api import expect

    page = open_page(server.url)
    begin(page, "Quiet")
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("p")
    expect(page.locator("#pause")).to_be_visible()
    page.keyboard.press("j")  # which the pause keeps away
    page.keyboard.press("Escape")
    expect(page.locator("#pause")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#help dt")).to_have_count(6)
    page.keyboard.press(" ")  # the button that has the focus: go on
    expect(page.locator("#help")).to_be_hidden()
    assert count_marks(page, "sound") == 0
    page.keyboard.press(" ")
    expect(page.locator("#play b")).to_have_text("Again")
    assert count_marks(page, "sound") == 1
    page.reload()
    page.click("text=Go on as Quiet")
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    assert count_marks(page, "sound") == 0
    page.click("#near")
    assert count_marks(page, "sound") == 1


def test_a_name_is_text_and_headphones_can_be_checked(open_page, server):
    from playwright.sync_api import expect

    page = open_page(server.url)
    page.route("**/sound/h*", lambda route: route.fulfill(body=make_sound(0.1)))
    name = "<img src=x onerror=alert(1)> Zoë"
    page.check("[value=headphones]")
    page.check("[name=check]")
    begin(page, name, device="headphones", join="fade")
    expect(page.locator("#who")).to_have_text(name)
    assert page.locator("img").count() == 0
    expect(page.locator("#hint")).to_have_text("Sound 1 of 6.")
    page.keyboard.press("1")  # before it was heard
    for number in range(1, 7):
        expect(page.locator("#hint")).to_have_text(f"Sound {number} of 6.")
        page.keyboard.press(" ")
        page.locator("#check button[aria-disabled=false]").first.wait_for()
        page.keyboard.press(str(1 + number % 3))
    expect(page.locator("#practice")).to_have_text("Practice 1 of 4, not counted")
    expect(page.locator("#hint")).to_have_text(
        re.compile(r"^The headphone check: \d of 6 right\.$")
    )
    [(stored,)] = server.ask("SELECT body FROM events WHERE kind = 'headphones'")
    assert json.loads(stored)["answers"] == [2, 3, 1, 2, 3, 1]
    [(stored,)] = server.ask(
        "SELECT json_extract(body, '$.name') FROM events WHERE body LIKE '%Zo%'"
    )
    assert stored == name


def test_a_mirrored_pair_has_its_buttons_on_the_other_side(open_page, server):
    from playwright.sync_api import expect

    page = open_page(server.url)
    sides = {"plain": ["yes", "unsure", "no"], "mirrored": ["no", "unsure", "yes"]}
    page.evaluate(MIRROR)
    begin(page, "Lewis")
    practise(page)
    seen = []
    for _ in range(4):
        page.locator(OPEN).first.wait_for()
        buttons = page.locator("#answers button")
        seen.append(
            [x.split()[1] for x in buttons.evaluate_all("(x) => x.map((y) => y.dataset.press)")]
        )
        answer(page, "y")
    given = page.evaluate("given")
    assert seen == [sides[side] for side in given[:4]]
    expect(page.locator("#count")).to_have_text("4 of 40")
    expect(page.locator("#unsaved")).to_have_text("")
    assert server.list_answers("Lewis") == ["yes"] * 4


# --- 200 answers, a server that dies, a network that is away


def test_200_answers_of_five_people_are_stored_once_each(open_page, server):
    from playwright.sync_api import expect

    small = {"viewport": {"width": 360, "height": 700}, "reduced_motion": "reduce"}
    people = {f"rater {number}": open_page(server.url, **small) for number in range(5)}
    typed: dict[str, list[str]] = {name: [] for name in people}
    for number, (name, page) in enumerate(people.items()):
        begin(page, name, join=("cut", "gap", "fade")[number % 3])
    practise(*people.values())
    expect(people["rater 0"].locator("#unsaved")).to_have_text("")

    for number in range(40):
        for person, (name, page) in enumerate(people.items()):
            event = (person, number)
            if event == (0, 10):
                lose_next_reply(server, page)
            elif event == (2, 20):
                page.reload()
                page.click("text=Go on as rater 2")
                expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
            elif event == (3, 25):
                while count_marks(page, "preloaded") < 4 + number + 6:  # practice, answered, ahead
                    page.wait_for_timeout(50)
                take_network_away(page, is_away=True)
            elif event == (4, 30):  # thinks again about the last one
                page.keyboard.press("z")
                typed[name].pop()
                type_one(page, typed[name], "n")
            type_one(page, typed[name], "ynuyyn"[(number * 7 + person) % 6])
            if event == (0, 10):
                expect(page.locator("#unsaved")).to_have_text("1 answer not saved yet")
                while server.is_running():  # the page says so before the server is gone
                    page.wait_for_timeout(20)
                server.start()
                expect(page.locator("#unsaved")).to_have_text("")
            elif event == (3, 29):
                expect(page.locator("#unsaved")).to_have_text("5 answers not saved yet")
                take_network_away(page, is_away=False)

    for page in people.values():
        expect(page.locator("#thanks")).to_be_visible()
        expect(page.locator("#safe")).to_have_text("All is saved.")
        expect(page.locator("#summary")).to_contain_text("All 40 are given.")
        assert page.evaluate("localStorage.getItem('aares.refused')") is None
    stored = {name: server.list_answers(name) for name in people}
    assert sum(map(len, stored.values())) == 200
    assert stored == typed
    assert (
        server.ask("""SELECT pair FROM events WHERE kind = 'answer' AND uuid NOT IN
        (SELECT json_extract(body, '$.of') FROM events WHERE kind = 'undo')
        GROUP BY pair HAVING count(*) > 1""")
        == []
    )
    for page in people.values():  # what was played had been fetched and decoded before
        script = "(x) => performance.getEntriesByName(x).map((y) => [y.detail, y.startTime])"
        ready = dict(page.evaluate(script, "preloaded"))
        sounds = page.evaluate(script, "sound")
        assert len(sounds) >= 20 and all(ready[pair] < start for pair, start in sounds)
    waits = sorted(wait for page in people.values() for wait in read_waits(page))
    middle, most = waits[len(waits) // 2], waits[-1]
    logging.info("answer to sound: median %.0f ms, most %.0f ms", middle, most)


def type_one(page, typed: list[str], key: str) -> None:
    answer(page, key)
    typed.append(KEYS[key])


def lose_next_reply(server, page) -> None:
    """Kill the server after it stored the next answer, and before the page hears of it."""

    def kill(route):
        assert route.fetch().ok
        server.kill()
        route.abort()

    page.route("**/api/answers*", kill, times=1)
    allow_outage(page)


def take_network_away(page, *, is_away: bool) -> None:
    from playwright.sync_api import expect

    allow_outage(page)
    page.context.set_offline(is_away)
    if not is_away:
        expect(page.locator("#unsaved")).to_have_text("")


def allow_outage(page) -> None:
    """Let the consoles of all pages say that the server is not reached."""
    for context in page.context.browser.contexts:
        for other in context.pages:
            other.outage = True


# --- for everybody


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read_and_reached(open_page, server, scheme):
    from playwright.sync_api import expect

    page = open_page(server.url, color_scheme=scheme, reduced_motion="reduce")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.locator("#definition")).not_to_be_empty()
    check_view(page, tab_stops=6)
    begin(page, f"Iris {scheme}")
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    check_view(page, tab_stops=9)
    practise(page)
    answer(page, "u")
    check_view(page, tab_stops=10)
    for key, dialog in (("?", "#help"), ("p", "#pause")):
        page.keyboard.press(key)
        expect(page.locator(dialog)).to_be_visible()
        check_view(page, tab_stops=1)
        page.keyboard.press("Escape")
    page.click("text=Stop for today")
    assert page.evaluate("document.activeElement.id") == "thanks"
    check_view(page, tab_stops=4)


@pytest.mark.parametrize("width", [360, 1000])
def test_nothing_is_cut_off_on_a_phone(open_page, server, width):
    from playwright.sync_api import expect

    page = open_page(server.url, viewport={"width": width, "height": 780})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    begin(page, f"Una {width}", join="gap")
    expect(page.locator("#play")).to_have_attribute("aria-disabled", "false")
    assert page.evaluate(wide) == 0
    script = "(all) => all.map((x) => x.getBoundingClientRect()).map((x) => [x.width, x.height])"
    sizes = page.locator("button:visible").evaluate_all(script)
    assert len(sizes) >= 9 and min(min(size) for size in sizes) >= 32
    script = "(all) => all.map((x) => x.getBoundingClientRect().bottom)"
    assert max(page.locator("#answers button").evaluate_all(script)) <= 780
