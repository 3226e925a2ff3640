"""Where two clips meet, to the sample: what the page schedules, rendered by a real browser."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile as sf
from browser import run_server

KINDS = ("wav", "ogg", "mp3")
PREPARE = """
async (sounds) => {
  const { plan, schedule } = await import("/label.js");
  const decode = (text) => new Float32Array(Uint8Array.from(atob(text), (x) => x.charCodeAt()).buffer);
  const encode = (values) => {
    let text = "";
    for (const byte of new Uint8Array(Float32Array.from(values).buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  };
  window.renderSynthetic = async (join, rate, seconds, options) => {
    const [a, b] = sounds.map((text) => {
      const values = decode(text).slice(0, seconds * rate);
      const buffer = new AudioBuffer({ length: values.length, sampleRate: rate });
      buffer.copyToChannel(values, 0);
      return buffer;
    });
    const where = plan(a, b, join);
    const frames = (options.at ?? 0) + where.total - (options.from ?? 0) + 100;
    const context = new OfflineAudioContext(1, frames, rate);
    schedule(context, a, b, join, options);
    return [where, encode((await context.startRendering()).getChannelData(0))];
  };
  window.renderPair = async (pair, rate, at) => {
    const [a, b] = await Promise.all(["a", "b"].map(async (side) => {
      const content = await (await fetch(`/clip/${pair}/${side}.wav`)).arrayBuffer();
      return new OfflineAudioContext(1, 1, rate).decodeAudioData(content);
    }));
    const context = new OfflineAudioContext(2, at + a.length + 2000, rate);
    schedule(context, a, b, "cut", { at });
    const out = await context.startRendering(), cut = at + a.length;
    return [0, 1].map((i) => [
      a.getChannelData(i).slice(-2000), b.getChannelData(i).slice(0, 2000),
      out.getChannelData(i).slice(cut - 2000, cut + 2000),
    ].map(encode));
  };
}
"""
RATE = 8000
A, B = np.random.default_rng(0).uniform(0.1, 1.0, (2, 7 * RATE)).astype(np.float32)  # no zeros
RAMP = round(0.005 * RATE)


def decode(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Three songs of noise, one a format, each of another rate."""
    folder = tmp_path_factory.mktemp("join")
    rng = np.random.default_rng(1)
    for number, suffix in enumerate(KINDS):
        sr = (44_100, 48_000, 22_050)[number]
        y = np.cumsum(rng.standard_normal((6 * sr, 2)), axis=0)
        y -= np.linspace(y[0], y[-1], len(y))
        sf.write(folder / f"song{number}.{suffix}", 0.5 * y / np.abs(y).max() + 0.05, sr)
    yield from run_server(folder, folder)


@pytest.fixture(scope="module")
def page(chromium, server):
    with chromium.new_page() as page:
        page.goto(server.url)
        page.evaluate(PREPARE, [base64.b64encode(y.tobytes()).decode() for y in (A, B)])
        yield page


@pytest.fixture(scope="module")
def pairs(page, server) -> dict[str, tuple[str, str]]:
    """Formats of A and B of all pairs that the server gives a rater."""
    who = {"uuid": "0f8fad5b-d9cb-469f-a165-708677289500", "name": "Joan", "join": "cut"}
    rater = page.request.post(f"{server.url}api/raters", data=who | {"device": "headphones"})
    asked = f"{server.url}api/next?rater={rater.json()['rater']}&hold="
    found: dict[str, tuple[str, str]] = {}
    while pair := page.request.get(asked + ",".join(found)).json()["pair"]:
        a, b = server.ask("SELECT a, b FROM shown WHERE id = ?", pair)[0]
        found[pair] = a[-3:], b[-3:]
    return found


def render(page, join: str, *, seconds: float = 7, **options) -> tuple[dict, np.ndarray]:
    """Return where things are in the noise A and the noise B, and all that is heard."""
    script = "(options) => renderSynthetic(...options)"
    where, heard = page.evaluate(script, [join, RATE, seconds, options])
    return where, decode(heard)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_last_sample_of_a_is_followed_by_the_first_of_b(page, server, pairs, rate):
    assert sorted(pairs.values()) == sorted((a, b) for a in KINDS for b in KINDS if a != b)
    for number, pair in enumerate(pairs):
        at = (0, 4321)[number % 2]
        sides = page.evaluate("(options) => renderPair(...options)", [pair, rate, at])
        for channel, (ends, begins, heard) in enumerate(map(decode, side) for side in sides):
            assert len(heard) == 4000 and (heard[1999:2001] != 0).all()
            assert np.array_equal(heard, np.concatenate([ends, begins]))
            if rate == 44_100:  # which the browser need not resample: the file's own steps
                clip_a, clip_b = (read_clip(page, server, pair, x)[:, channel] for x in "ab")
                steps = heard * np.where(heard > 0, 32_767.0, 32_768.0)
                expected = np.concatenate([clip_a[-2000:], clip_b[:2000]])
                assert np.allclose(steps, expected, rtol=0, atol=0.01)


def read_clip(page, server, pair: str, side: str) -> np.ndarray:
    content = page.request.get(f"{server.url}clip/{pair}/{side}.wav").body()
    return sf.read(io.BytesIO(content), dtype="int16")[0]


@pytest.mark.parametrize("at", [0, 1, 12_345, 8000 * 7 + 3])
def test_only_the_outer_ends_are_ramped(page, at):
    _, heard = render(page, "cut", at=at)
    joined = np.concatenate([A, B])
    whole = heard[at : at + len(joined)]
    assert np.array_equal(whole[RAMP:-RAMP], joined[RAMP:-RAMP])
    up = np.arange(RAMP) / RAMP
    assert np.allclose(whole[:RAMP] / A[:RAMP], up, atol=1e-5)
    assert np.allclose(whole[-RAMP:] / B[-RAMP:], 1 - up, atol=1e-5)
    assert not heard[:at].any() and not heard[at + len(joined) :].any()


def test_a_gap_is_half_a_second_of_silence(page):
    where, heard = render(page, "gap", at=100)
    gap = slice(100 + len(A), 100 + len(A) + RATE // 2)
    assert where["start"] == len(A) + RATE // 2
    assert not heard[gap].any()
    assert np.array_equal(heard[100 + RAMP : gap.start - RAMP], A[RAMP:-RAMP])
    assert np.array_equal(heard[gap.stop + RAMP :][: len(B) - 2 * RAMP], B[RAMP:-RAMP])
    assert 0 < heard[gap.start - 1] < 0.1 * A[-1] and heard[gap.stop] == 0


def test_a_crossfade_of_three_seconds_keeps_the_power(page):
    n = 3 * RATE
    where, heard = render(page, "fade")
    assert where["total"] == len(A) + len(B) - n
    assert np.array_equal(heard[RAMP : len(A) - n], A[RAMP:-n])
    assert np.array_equal(heard[len(A) :][: len(B) - n - RAMP], B[n:-RAMP])
    turn = np.arange(n) / n * np.pi / 2
    together = A[-n:] * np.cos(turn) + B[:n] * np.sin(turn)
    assert np.allclose(heard[len(A) - n : len(A)], together, atol=1e-4)


@pytest.mark.parametrize("join", ["cut", "gap", "fade"])
def test_the_join_alone_is_that_part_of_the_whole(page, join):
    where, whole = render(page, join)
    start, to = int(where["start"]) - RATE, int(where["joined"]) + RATE
    _, part = render(page, join, at=777, **{"from": start, "to": to})
    heard, there = part[777:][: to - start], whole[start:to]
    if join == "cut":
        assert np.array_equal(heard[RAMP:-RAMP], there[RAMP:-RAMP])
    assert np.allclose(heard[RAMP:-RAMP], there[RAMP:-RAMP], atol=1e-5)
    assert not part[:777].any() and not part[777 + to - start :].any()


def test_short_clips_fade_for_half_of_their_length(page):
    where, heard = render(page, "fade", seconds=0.5)
    assert where["fade"] == RATE // 4
    assert np.array_equal(heard[RAMP : RATE // 4], A[RAMP : RATE // 4])
