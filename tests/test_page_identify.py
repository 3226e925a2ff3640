"""The identifier of the page gives Python's hashes and answers; what is heard is what is asked.

The page here has only the two sections with sound. It is opened from the disk, as by a double
click, and whatever it asks of a network fails the test.
"""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from aares.audio import distortions
from aares.audio.decoding import load_audio
from aares.identify import Index, answer, make_query, pairs, peaks
from aares.identify.query import QUICK, THOROUGH
from workshop.page import build, sounds

SR = peaks.RATE_HZ
SCRIPTS = ("base.js", "data-identifier.js", "data-excerpts.js", "decode.js", "fourier.js",
           "hear.js", "identify.js", "listen.js", "page.js")  # fmt: skip
LISTEN = """
const listen = async (texts, act) => JSON.stringify(
  await Promise.all(texts.map((text) => act(new Float32Array(AARES.decode(text))))));
"""
HASH = f"""(texts) => {{ {LISTEN}
  const {{ Query, computePower, findPeaks, pairPeaks }} = AARES.hearing;
  const K = AARES.data.identifier;
  return listen(texts, async (y) => {{
    const query = new Query(y);
    const {{ time, bin }} = findPeaks(computePower(y, K.hop_length), 12, K.reach);
    const own = pairPeaks(Float32Array.from(time), Float32Array.from(bin), K.fan_out);
    const list = (found) => [found.map((x) => x.hash), found.map((x) => x.time)];
    return {{
      quick: list(query.hash(K.looks.quick)), thorough: list(query.hash(K.looks.thorough)),
      fast: list(query.hash(K.looks.quick, 1.03)),
      recording: [own.hashes, own.anchors.map((i) => time[i])],
    }};
  }});
}}"""
ASK = f"""(texts) => {{ {LISTEN}
  return listen(texts, async (y) => {{
    const {{ reason, p_false, tail, candidates, twins }} = await AARES.identifier.identify(y);
    const tell = (c) => [c.song.name, c.offset_s, c.score, c.votes, c.speed, c.pitch];
    const names = twins.map((twin) => twin.song.name);
    return {{ reason, p_false, tail, candidates: candidates.map(tell), twins: names }};
  }});
}}"""


@pytest.fixture(scope="module")
def songs() -> dict[str, np.ndarray]:
    """All demo songs at 8 kHz, those that the page does not know among them."""
    return {path.stem: load_audio(path, sr=SR) for path in sorted(sounds.SONGS.glob("*.ogg"))}


@pytest.fixture(scope="module")
def known(songs) -> Index:
    return Index.from_signals({path.stem: songs[path.stem] for path in sounds.list_songs()})


@pytest.fixture(scope="module")
def made() -> dict[str, dict]:
    return {"identifier": sounds.make_identifier(), "excerpts": sounds.make_excerpts()}


@pytest.fixture(scope="module")
def address(made, tmp_path_factory) -> str:
    """Where the page lies, made as `build` makes it, without tables and results."""
    folder = tmp_path_factory.mktemp("page")
    for path in build.WEB.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    for name, data in made.items():
        (folder / f"data-{name}.js").write_bytes(build.encode_data(name, data))
    tags = "".join(f'<script defer src="{name}"></script>' for name in SCRIPTS)
    index = (build.WEB / "index.html").read_text(encoding="utf-8")
    policy = build.SAFE.format("'self' file:", "'self' file:")
    index = index.replace("{policy}", policy).replace("<!-- scripts -->", tags)
    (folder / "index.html").write_text(re.sub(r"{[\w-]+}", "", index), encoding="utf-8")
    return (folder / "index.html").as_uri()


@pytest.fixture
def page(address, open_page):
    """The page, which must not ask a network for anything."""
    page = open_page("about:blank")
    page.set_default_timeout(60_000)  # of a machine that does other things, too
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    yield page
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def encode(y: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(y, dtype="<f4").tobytes()).decode()


def ask(page, script: str, heard: list[np.ndarray]) -> list[dict]:
    return json.loads(page.evaluate(script, [encode(y) for y in heard]))


def cut(song: np.ndarray, start_s: float, length_s: float) -> np.ndarray:
    return song[int(start_s * SR) : int((start_s + length_s) * SR)]


def write_wav(folder: Path, name: str, y: np.ndarray, sr: int = SR, **options) -> Path:
    path = folder / name
    sf.write(path, y, sr, **options)
    return path


def test_twenty_sounds_have_the_hashes_that_python_finds(page, songs):
    heard = [cut(song, 3 * number, 3) for number, song in enumerate(songs.values())]
    chord = np.sin(np.outer(np.arange(3 * SR), [0.3, 0.4, 0.55])).sum(axis=1)  # held: many ties
    heard += [chord.astype(np.float32), (np.arange(3 * SR) % 2000 == 0).astype(np.float32)]
    assert len(heard) == 20
    for y, found in zip(heard, ask(page, HASH, heard), strict=True):
        query, power = make_query(y), peaks.compute_power(y)
        expected = {
            "quick": query.hash(QUICK)[:2], "thorough": query.hash(THOROUGH)[:2],
            "fast": query.hash(QUICK, 1.03)[:2],
            "recording": pairs.hash_recording(peaks.find_peaks(power, per_block=12), fan_out=2),
        }  # fmt: skip
        assert {name: [part.tolist() for part in both] for name, both in expected.items()} == found


def make_excerpts(songs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Fifty-two sounds: known and unknown recordings, clean, in noise, too fast; and no music."""
    rng, heard = np.random.default_rng(0), []
    for number, song in enumerate([*songs.values()] * 2):
        y = cut(song, rng.uniform(0, 50), 3)
        if number % 3 == 1:
            y = distortions.add_noise(y, "white", rng, snr_db=(0, -5, -10)[number % 9 // 3])
        if number % 3 == 2 and number > 9:
            y = distortions.change_speed(y, rng.uniform(0.93, 1.07))
        heard.append(y)
    for ending in sounds.UNKNOWN:
        (song,) = (song for name, song in songs.items() if name.endswith(ending))
        heard += [cut(song, start_s, 2) for start_s in (5, 20, 35, 50)]
    t = np.arange(2 * SR) / SR
    heard += [np.zeros(2 * SR), np.sin(2 * np.pi * 440 * t), rng.standard_normal(2 * SR),
              np.ones(300), np.sin(2 * np.pi * (200 + 300 * t) * t),
              np.tile([1.0, -1.0], SR), np.resize(rng.standard_normal(2800), 3 * SR),
              np.resize(songs[next(iter(songs))][90_000:94_000], 3 * SR)]  # fmt: skip
    return [y.astype(np.float32) for y in heard]


def test_fifty_two_excerpts_have_the_answers_that_python_gives(page, songs, known):
    heard = make_excerpts(songs)
    reasons = set()
    for y, found in zip(heard, ask(page, ASK, heard), strict=True):
        said = known.identify(y, SR)
        rows = [[c.song, c.offset_s, c.score, c.votes, c.speed, c.pitch] for c in said.candidates]
        assert (found["reason"], found["candidates"]) == (said.reason, rows)
        assert found["twins"] == [twin.song for twin in said.twins]
        assert found["p_false"] == pytest.approx(said.p_false, rel=1e-9)
        assert np.log(found["tail"]) == pytest.approx(np.log(said.tail), rel=1e-9, abs=1e-9)
        reasons.add(said.reason)
    assert len(heard) == 52 and reasons == {"match", "unknown", "nothing"}


def test_a_long_sound_is_known_by_its_surest_part(page, songs, known):
    name = next(iter(songs))
    y = np.concatenate([np.zeros(20 * SR), cut(songs[name], 30, 12)]).astype(np.float32)
    (found,) = ask(page, ASK, [y])
    said = known.identify(y, SR)
    assert found["candidates"][0][:2] == [said.match.song, said.match.offset_s]
    assert said.match.song == name and said.match.offset_s == pytest.approx(10, abs=0.1)


def test_all_constants_that_the_scripts_use_come_from_python():
    names = ("hear.js", "identify.js", "listen.js")
    used = set(re.findall(r"\bK\.(\w+)", "".join((build.WEB / x).read_text() for x in names)))
    assert used <= set(sounds.list_constants()) | {"looks", "fan_out", "songs", "counts", "words"}
    assert set(answer.SHARES) == set(sounds.list_constants()["banks"]) | {"quick", "thorough"}


def test_the_index_of_the_page_leaves_two_songs_out(songs, made):
    data = made["identifier"]
    assert set(songs) - {song["name"] for song in data["songs"]} == {
        "D Luca - Old Masters - 03 Gloria", "Vicente Lusitano - Old Masters - 02 Allor che ignuda"
    }  # fmt: skip
    assert data["counts"].sum() == len(data["words"])
    assert len(build.encode_data("identifier", data)) < 100_000


def test_excerpts_are_small_sounds_of_the_demo_songs(made):
    rows = made["excerpts"]["rows"]
    assert [row["known"] for row in rows] == [True] * 4 + [False]
    for row in rows:
        y, sr = sf.read(io.BytesIO(row["sound"].tobytes()))
        assert len(y) == 10 * sr and 0.85 < np.abs(y).max() <= 1
    assert len(build.encode_data("excerpts", {"rows": rows})) < 1_200_000


READ = """(text) => {
  const found = AARES.sound.readWav(AARES.decode(text));
  return found && { rate: found.rate, y: Array.from(found.y) };
}"""


def test_wav_files_are_read_as_python_reads_them(page, tmp_path):
    y = 0.5 * np.sin(np.outer(np.arange(600), [0.1, 0.17]))  # stereo
    for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "ULAW"):
        path = write_wav(tmp_path, "two.wav", y, 11_025, subtype=subtype)
        found = page.evaluate(READ, base64.b64encode(path.read_bytes()).decode())
        expected = sf.read(path)[0].mean(axis=1)
        assert (found["rate"], len(found["y"])) == (11_025, 600)
        assert np.abs(np.array(found["y"]) - expected).max() < 1e-6, subtype
    write_wav(tmp_path, "more.wav", y, format="WAVEX", subtype="PCM_16")
    found = page.evaluate(READ, base64.b64encode((tmp_path / "more.wav").read_bytes()).decode())
    assert np.abs(np.array(found["y"]) - y.mean(axis=1)).max() < 1e-4


def test_what_is_no_wav_file_is_left_to_the_browser(page, tmp_path):
    whole = write_wav(tmp_path, "a.wav", np.zeros(100)).read_bytes()
    strange = write_wav(tmp_path, "b.wav", np.zeros(100), subtype="IMA_ADPCM").read_bytes()
    for content in (b"", b"RIFF", whole[:30], b"OggS" + bytes(40), strange):
        assert page.evaluate(READ, base64.b64encode(content).decode()) is None


RESAMPLE = """(text) =>
  Array.from(AARES.sound.resample(new Float32Array(AARES.decode(text)), 44100, 8000))"""


def test_other_rates_become_eight_kilohertz_without_aliases(page):
    t = np.arange(44_100) / 44_100
    for frequency, level in ((440, 1.0), (1900, 1.0), (4500, 0.0), (7000, 0.0)):
        found = np.array(page.evaluate(RESAMPLE, encode(np.sin(2 * np.pi * frequency * t))))
        expected = level * np.sin(2 * np.pi * frequency * np.arange(SR) / SR)
        assert len(found) == SR and np.abs(found - expected)[500:-500].max() < 2e-3


def hear_file(page, path: Path) -> list[str]:
    """Choose a file; return what the page says of it."""
    page.locator("#sound-file").set_input_files(path)
    page.locator("#identify-answer").wait_for()
    return page.locator("#identify-answer [role=status]").all_inner_texts()[0].split("\n\n")


def test_a_file_is_identified(page, songs, tmp_path):
    (path,) = sounds.SONGS.glob("*01 Prelude in C major.ogg")
    y = load_audio(path, sr=22_050)[22_050 * 20 : 22_050 * 26]
    stereo = np.stack([y, y], axis=1)
    title, text = hear_file(page, write_wav(tmp_path, "heard.wav", stereo, 22_050))
    assert title == "Prelude in C major" and "from 0:20 of 1:20" in text
    assert "Fewer than 1 in " in text
    assert "pairs of peaks that agree" in page.get_by_label("Spectrogram of 6.0 s").get_attribute(
        "aria-label"
    )
    assert "agree on 0:20" in page.locator("#identify-answer .along").get_attribute("aria-label")


def test_what_is_unknown_and_what_is_nothing_are_told_apart(page, songs, tmp_path):
    (song,) = (song for name, song in songs.items() if name.endswith("Gloria"))
    unknown = hear_file(page, write_wav(tmp_path, "unknown.wav", cut(song, 20, 3)))
    assert unknown[0] == "Unknown" and "The nearest is " in unknown[1]
    page.locator("#sound-file").set_input_files(write_wav(tmp_path, "still.wav", np.zeros(3 * SR)))
    page.locator("#identify-answer").get_by_role("heading", name="Nothing to identify").wait_for()
    assert page.locator("#identify-answer .along").is_hidden()


def test_what_is_no_sound_is_said(page, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear reader")
    page.locator("#sound-file").set_input_files(tmp_path / "letter.txt")
    page.get_by_text("letter.txt is no sound that this browser can read").wait_for()
    broken = np.full(SR, np.nan, dtype=np.float32)
    page.locator("#sound-file").set_input_files(
        write_wav(tmp_path, "nan.wav", broken, subtype="FLOAT")
    )
    page.get_by_text("nan.wav holds no sound").wait_for()
    assert page.locator("#identify-answer").is_hidden()


def test_a_file_can_be_dropped(page, songs, tmp_path):
    (name,) = (name for name in songs if name.endswith("Mille regrets"))
    path = write_wav(tmp_path, "dropped.wav", cut(songs[name], 20, 4))
    transfer = page.evaluate_handle(
        """(text) => { const transfer = new DataTransfer();
        transfer.items.add(new File([AARES.decode(text)], "dropped.wav")); return transfer; }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    page.locator(".drop").dispatch_event("drop", {"dataTransfer": transfer})
    page.locator("#identify-answer").get_by_role("heading", name="Mille regrets").wait_for()


def test_a_microphone_that_is_refused_is_explained(page):
    refuse = """(name) => { navigator.mediaDevices.getUserMedia = async () => {
        throw new DOMException("", name); }; }"""
    button = page.get_by_role("button", name="Use the microphone")
    for error, said in (
        ("NotAllowedError", "did not allow the microphone"),
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "in use by another program"),
    ):
        page.evaluate(refuse, error)
        button.click()
        page.get_by_text(said).wait_for()
    page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    button.click()
    page.get_by_text("gives no microphone to a page that is opened from the disk").wait_for()


def test_the_microphone_is_heard_until_it_is_told_to_stop(page, songs, tmp_path):
    (name,) = (name for name in songs if name.endswith("Mille regrets"))
    path = write_wav(tmp_path, "sung.wav", cut(songs[name], 20, 4))
    page.evaluate(
        """(text) => {
        globalThis.stopped = 0;
        const track = { stop: () => { globalThis.stopped += 1; } };
        navigator.mediaDevices.getUserMedia = async ({ audio }) => {
          globalThis.asked = audio;
          return { getTracks: () => [track] };
        };
        globalThis.MediaRecorder = class {
          start() { this.state = "recording"; }
          stop() {
            this.state = "inactive";
            this.ondataavailable({ data: new Blob([AARES.decode(text)]) });
            this.onstop();
          }
        };
    }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    page.get_by_role("button", name="Use the microphone").click()
    page.get_by_role("button", name="Stop and ask").click()
    page.locator("#identify-answer").get_by_role("heading", name="Mille regrets").wait_for()
    page.get_by_role("button", name="Use the microphone").wait_for()
    assert page.evaluate("globalThis.stopped") == 1
    # What helps a voice spoils music.
    assert set(page.evaluate("globalThis.asked").values()) == {False}


def test_the_sound_from_here_is_known_at_another_speed(page):
    page.get_by_role("button", name="Try a sound from here").click()
    panel = page.locator("#identify-answer")
    panel.get_by_role("heading", name="Prelude in C major").wait_for()
    assert "at 103.0 % of its speed" in panel.inner_text()


MIX = """([row, db]) => {
  const { Mixture, readExcerpt } = AARES.excerpts;
  const mixture = new Mixture(readExcerpt(AARES.data.excerpts.rows[row]));
  return [Array.from(mixture.mix(db)), mixture.gains(db)];
}"""


def watch_levels(page) -> None:
    """Go where the first recording is named at all levels."""
    page.evaluate("() => document.getElementById('listen').scrollIntoView()")
    page.locator("#listen button small", has_text="named").nth(4).wait_for()


def test_what_is_heard_in_noise_is_what_is_asked(page, known):
    watch_levels(page)
    for db, title in ((0, "Grave"), (-15, "Grave"), (-25, "Unknown")):
        page.get_by_label("More noise to the right").fill(str(-db))
        page.locator("#listen-answer").get_by_role("heading", name=title).wait_for()
        y, (music, noise) = page.evaluate(MIX, [0, db])
        said = known.identify(np.array(y, dtype=np.float32), SR)
        assert said.match.song.endswith(title) if said.match else title == "Unknown"
        assert 20 * np.log10(music / noise) == pytest.approx(db)
        assert np.sqrt(np.mean(np.square(y))) == pytest.approx(0.12, rel=0.02)  # equally loud


def test_levels_are_chosen_by_keys_and_buttons(page):
    watch_levels(page)
    page.get_by_role("button", name="−10 dB").press("Enter")
    slider = page.get_by_label("More noise to the right")
    assert slider.get_attribute("aria-valuetext") == "music 10 dB below the noise"
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "music 11 dB below the noise"
    assert page.locator("#listen [aria-pressed=true]").count() == 0
    page.get_by_label("Gloria").check()
    page.locator("#listen-answer").get_by_role("heading", name="Unknown").wait_for()


def test_music_and_noise_play_at_the_chosen_level(page):
    watch_levels(page)
    page.get_by_role("button", name="Play", exact=True).click()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Play", exact=True).wait_for()
