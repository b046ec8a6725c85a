"""What espeak-ng makes of the whole catalogue: every file is looked at and listened to."""

import subprocess
from pathlib import Path

import pytest

from dialer.machine.steps import FAREWELL_SECONDS, TIME_IS_UP_SECONDS
from tests.warmline.prompts.conftest import WARN_SECONDS
from warmline.prompts.audio import Sound, read_wav
from warmline.prompts.building import Built
from warmline.prompts.catalogue import LANGUAGES, Prompt, shipped
from warmline.prompts.recordings import RATES

FAREWELLS = frozenset(
    {
        "nobody_reached", "caller_not_reached", "order_over", "counselor_offline",
        "counselor_busy", "outside_hours", "not_in_service", "number_withheld", "number_foreign",
        "number_not_verified", "no_open_order", "order_expired", "rate_limited", "not_now",
    }
)  # fmt: skip
HEARD_SECONDS = 0.05  # a stretch of sound
ON_ITS_WAY_SECONDS = 0.5  # from the order to the first sound
LONGEST_SECONDS = 8


def loudness(sound: Sound) -> list[float]:
    """Of each stretch, 1 being the loudest there can be."""
    step = round(sound.rate * HEARD_SECONDS)
    stretches = (sound.samples[at : at + step] for at in range(0, len(sound.samples), step))
    return [max(map(abs, stretch)) / 32767 for stretch in stretches]


def every_prompt() -> tuple[Prompt, ...]:
    return shipped().prompts(WARN_SECONDS)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ending", RATES)
def test_every_prompt_is_a_file_that_phones_can_play_and_people_can_hear(
    built: tuple[Path, Built], language: str, ending: str
) -> None:
    folder, _ = built

    for prompt in every_prompt():
        sound = read_wav((folder / language / f"{prompt.key}{ending}").read_bytes())
        heard = [loud > 0.05 for loud in loudness(sound)]
        assert sound.rate == RATES[ending], prompt.key
        assert 0.5 < sound.seconds < LONGEST_SECONDS, prompt.key
        assert sum(heard) / len(heard) > 0.4, prompt.key
        assert not heard[0], prompt.key
    assert len(list((folder / language).glob(f"*{ending}"))) == len(every_prompt())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_farewell_is_over_before_the_line_goes(built: tuple[Path, Built], language: str) -> None:
    folder, _ = built

    for key in FAREWELLS:
        sound = read_wav((folder / language / f"{key}.wav").read_bytes())
        assert sound.seconds < FAREWELL_SECONDS - ON_ITS_WAY_SECONDS, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_that_the_time_is_up_is_said_before_the_carriers_own_limit_cuts_it(
    built: tuple[Path, Built], language: str
) -> None:
    folder, _ = built

    sound = read_wav((folder / language / "time_is_up.wav").read_bytes())

    assert sound.seconds < TIME_IS_UP_SECONDS


def test_two_texts_do_not_sound_the_same(built: tuple[Path, Built]) -> None:
    folder, _ = built

    files = [file.read_bytes() for file in folder.glob("*/*.wav")]
    assert len(set(files)) == len(files) == 2 * len(every_prompt())


def test_chinese_is_spoken_as_chinese_to_the_last_character(voice: str) -> None:
    """espeak-ng marks with (en) what it reads as English; its plain Chinese voice does so with
    most characters."""
    text = "\n".join(prompt.texts["zh-CN"] for prompt in every_prompt())
    spoken_by = shipped().voices["zh-CN"].espeak

    assert "(en)" not in phonemes(spoken_by, text)
    assert "(en)" in phonemes("cmn", text)


def phonemes(voice: str, text: str) -> str:
    done = subprocess.run(
        ["espeak-ng", "-q", "-x", "-v", voice, "--stdin"],
        input=text, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_the_first_build_made_everything(built: tuple[Path, Built]) -> None:
    _, found = built

    assert len(found.found) == len(LANGUAGES) * len(every_prompt())
    assert {one.state for one in found.found} == {"missing"}
