"""What a build makes, what it renews, and what it never touches."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.warmline.prompts.test_audio import tone
from warmline.exits import Unusable
from warmline.prompts import recordings
from warmline.prompts.audio import write_wav
from warmline.prompts.building import Built, build
from warmline.prompts.catalogue import Catalogue, Prompt, Voice
from warmline.prompts.recordings import RATES, State

ZH, EN = "zh-CN", "en"
HELLO = Prompt(key="hello", texts={ZH: "您好。", EN: "Hello."})
BYE = Prompt(key="bye", texts={ZH: "再见。", EN: "Goodbye."})
VOICES = {
    ZH: Voice(espeak="cmn-latn-pinyin", words_per_minute=190),
    EN: Voice(espeak="en-us", words_per_minute=155),
}


def run(
    folder: Path,
    *prompts: Prompt,
    languages: Iterable[str] = (EN,),
    voices: dict[str, Voice] | None = None,
) -> Built:
    catalogue = Catalogue(voices=voices or VOICES, fixed={}, numbered={})
    return build(folder, catalogue, prompts, languages, lambda done, total: None)


def states(built: Built) -> dict[str, State]:
    return {one.name: one.state for one in built.found}


def contents(folder: Path) -> dict[str, bytes]:
    """Everything that a carrier may play."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.glob("*/*"))
    }


def own(rate: int = 8000) -> bytes:
    return write_wav(tone(440, rate, 1))


pytestmark = pytest.mark.usefixtures("voice")


def test_what_is_missing_is_made_at_both_rates_and_the_next_build_changes_nothing(
    tmp_path: Path,
) -> None:
    first = run(tmp_path, HELLO, BYE, languages=(ZH, EN))
    made = contents(tmp_path)
    again = run(tmp_path, HELLO, BYE, languages=(ZH, EN))

    assert set(states(first).values()) == {State.MISSING}
    assert set(made) == {
        f"{language}/{key}{ending}"
        for language in (ZH, EN) for key in ("hello", "bye") for ending in RATES
    }  # fmt: skip
    assert set(states(again).values()) == {State.MADE}
    assert contents(tmp_path) == made


def test_only_the_languages_that_are_asked_for_are_made(tmp_path: Path) -> None:
    run(tmp_path, HELLO, languages=(ZH,))

    assert set(contents(tmp_path)) == {"zh-CN/hello.wav", "zh-CN/hello.wav16"}


@pytest.mark.parametrize("change", ["text", "voice"])
def test_what_is_to_be_said_otherwise_is_renewed_and_nothing_else(
    tmp_path: Path, change: str
) -> None:
    run(tmp_path, HELLO, BYE)
    before = contents(tmp_path)
    changed = Prompt(key="hello", texts={ZH: "您好。", EN: "Good day."})
    slower = {EN: Voice(espeak="en-us", words_per_minute=100)}

    if change == "text":
        built = run(tmp_path, changed, BYE)
        assert states(built) == {"en/hello": State.OUTDATED, "en/bye": State.MADE}
        assert contents(tmp_path)["en/bye.wav"] == before["en/bye.wav"]
    else:
        built = run(tmp_path, HELLO, BYE, voices=slower)
        assert set(states(built).values()) == {State.OUTDATED}
    assert contents(tmp_path)["en/hello.wav"] != before["en/hello.wav"]
    assert contents(tmp_path)["en/hello.wav16"] != before["en/hello.wav16"]


def test_one_of_two_files_that_is_gone_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, HELLO)
    before = contents(tmp_path)
    (tmp_path / "en/hello.wav16").unlink()

    assert states(run(tmp_path, HELLO)) == {"en/hello": State.OUTDATED}
    assert contents(tmp_path) == before


@pytest.mark.parametrize("ending", [*RATES, ".ulaw", ".alaw", ".g722", ".gsm", ".sln16"])
def test_an_operator_s_recording_is_never_touched_and_no_phone_hears_ours_beside_it(
    tmp_path: Path, ending: str
) -> None:
    run(tmp_path, HELLO)
    theirs = own(RATES.get(ending, 8000))
    (tmp_path / f"en/hello{ending}").write_bytes(theirs)
    changed = Prompt(key="hello", texts={EN: "Good day."})

    assert states(run(tmp_path, changed)) == {"en/hello": State.OWN}
    assert contents(tmp_path) == {f"en/hello{ending}": theirs}
    assert states(run(tmp_path, changed)) == {"en/hello": State.OWN}


def test_a_recording_of_ours_that_was_edited_is_the_operator_s(tmp_path: Path) -> None:
    run(tmp_path, HELLO)
    file = tmp_path / "en/hello.wav"
    file.write_bytes(file.read_bytes()[:-2])
    edited = file.read_bytes()

    assert states(run(tmp_path, Prompt(key="hello", texts={EN: "Good day."}))) == {
        "en/hello": State.OWN
    }
    assert file.read_bytes() == edited


def test_a_recording_that_was_there_before_the_first_build_is_the_operator_s(
    tmp_path: Path,
) -> None:
    (tmp_path / EN).mkdir()
    (tmp_path / "en/hello.wav").write_bytes(own())

    built = run(tmp_path, HELLO, BYE)

    assert states(built) == {"en/hello": State.OWN, "en/bye": State.MISSING}
    assert contents(tmp_path)["en/hello.wav"] == own()


def test_an_own_recording_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    (tmp_path / EN).mkdir()
    (tmp_path / "en/hello.wav").write_bytes(own())
    run(tmp_path, HELLO)
    (tmp_path / "en/hello.wav").unlink()

    run(tmp_path, HELLO)

    assert states(run(tmp_path, HELLO)) == {"en/hello": State.MADE}


@pytest.mark.parametrize(
    ("name", "raw", "why"),
    [
        ("hello.wav", own(44100), "44100 Hz; it must be one channel, 16 bit, 8000 Hz"),
        ("hello.wav16", own(8000), "8000 Hz; it must be one channel, 16 bit, 16000 Hz"),
        ("hello.wav", b"ID3", "is not a WAV file"),
        ("hello.wav", own()[:22] + b"\x02" + own()[23:], "has 2 channels"),
        ("hello.ulaw", b"", "is empty"),
    ],
)
def test_an_own_recording_that_no_phone_would_play_is_told_and_left_alone(
    tmp_path: Path, name: str, raw: bytes, why: str
) -> None:
    (tmp_path / EN).mkdir()
    (tmp_path / EN / name).write_bytes(raw)

    (found,) = run(tmp_path, HELLO).found

    assert found.state is State.UNPLAYABLE
    assert name in found.detail
    assert why in found.detail
    assert contents(tmp_path) == {f"en/{name}": raw}


@pytest.mark.parametrize("writes", range(1, 6))
def test_a_build_that_was_killed_takes_nothing_of_ours_for_somebody_s_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Killed after each of its writes: two files, the manifest before each, and once at the end."""
    changed = Prompt(key="hello", texts={EN: "Good day."})
    run(tmp_path / "whole", changed)
    run(tmp_path, HELLO)
    replace, left = recordings._replace, [writes]

    def killed(file: Path, raw: bytes) -> None:
        replace(file, raw)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(recordings, "_replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, changed)

    (found,) = run(tmp_path, changed).found
    assert found.state in (State.OUTDATED, State.MADE)
    for ending in RATES:
        made = (tmp_path / f"en/hello{ending}").read_bytes()
        assert made == (tmp_path / f"whole/en/hello{ending}").read_bytes()


def test_without_espeak_ng_nothing_is_changed_and_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, HELLO)
    before = contents(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert states(run(tmp_path, HELLO)) == {"en/hello": State.MADE}
    with pytest.raises(Unusable) as refused:
        run(tmp_path, HELLO, BYE)

    assert str(refused.value).startswith("espeak-ng is not installed")
    assert "en/bye" in str(refused.value)
    assert "en/hello" not in str(refused.value)
    assert "apt-get install espeak-ng" in str(refused.value)
    assert contents(tmp_path) == before


def test_a_voice_that_is_not_installed_is_told_in_one_sentence(tmp_path: Path) -> None:
    unknown = {EN: Voice(espeak="no-such-voice", words_per_minute=100)}

    with pytest.raises(Unusable, match=r"did not speak with the voice no-such-voice"):
        run(tmp_path, HELLO, voices=unknown)
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("damage", ["{", "[]", '{"en/hello.wav": "x"}'])
def test_a_damaged_manifest_stops_the_build(tmp_path: Path, damage: str) -> None:
    run(tmp_path, HELLO)
    (tmp_path / "made.json").write_text(damage)
    before = contents(tmp_path)

    with pytest.raises(Unusable, match=r"made\.json is damaged"):
        run(tmp_path, Prompt(key="hello", texts={EN: "Good day."}))
    assert contents(tmp_path) == before


def test_a_carrier_under_another_account_can_read_what_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    run(folder, HELLO)

    assert {place.stat().st_mode & 0o777 for place in (folder, folder / EN)} == {0o755}
    assert {file.stat().st_mode & 0o777 for file in (folder / EN).iterdir()} == {0o644}
