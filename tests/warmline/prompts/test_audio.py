"""Sound brought to the rates of phones, measured on tones."""

import math

import pytest

from warmline.prompts.audio import NotASound, Sound, for_the_phone, read_wav, resampled, write_wav

VOICE_RATE = 22050


def tone(hertz: float, rate: int = VOICE_RATE, seconds: float = 0.5) -> Sound:
    step = 2 * math.pi * hertz / rate
    return Sound(rate, [round(10000 * math.sin(step * i)) for i in range(round(rate * seconds))])


def strength(samples: list[float], hertz: float, rate: int) -> float:
    """How much of a tone is in it, 1 being a tone as loud as `tone` makes it; the ends are left
    out, where the filter begins and stops."""
    middle = samples[rate // 10 : -rate // 10]
    step = 2 * math.pi * hertz / rate
    real = sum(sample * math.cos(step * i) for i, sample in enumerate(middle))
    imaginary = sum(sample * math.sin(step * i) for i, sample in enumerate(middle))
    return 2 * math.hypot(real, imaginary) / len(middle) / 10000


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hertz", [200, 440, 1000, 3000])
def test_what_a_phone_can_carry_is_kept_as_loud_as_it_was(rate: int, hertz: int) -> None:
    assert strength(resampled(tone(hertz), rate), hertz, rate) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("rate", "hertz"), [(8000, 5000), (8000, 7000), (16000, 9500)])
def test_what_it_cannot_carry_does_not_come_back_as_another_tone(rate: int, hertz: int) -> None:
    assert strength(resampled(tone(hertz), rate), rate - hertz, rate) < 0.01


@pytest.mark.parametrize("rate", [8000, 16000])
def test_it_lasts_as_long_with_a_moment_of_silence_around_it(rate: int) -> None:
    made = for_the_phone(tone(440), rate)

    assert made.rate == rate
    assert made.seconds == pytest.approx(0.5 + 2 * 0.1, abs=0.001)
    assert set(made.samples[: rate // 10]) == {0} == set(made.samples[-rate // 10 :])
    assert max(map(abs, made.samples)) == round(0.6 * 32767)


def test_silence_stays_silence() -> None:
    assert set(for_the_phone(Sound(VOICE_RATE, [0] * 1000), 8000).samples) == {0}


def test_a_wav_file_says_what_it_was_given() -> None:
    sound = tone(440, 8000)

    raw = write_wav(sound)
    assert list(read_wav(raw).samples) == sound.samples
    assert (raw[:4], raw[36:40], len(raw)) == (b"RIFF", b"data", 44 + 2 * len(sound.samples))


@pytest.mark.parametrize("raw", [b"", b"ID3 not a wav", write_wav(tone(440, 8000))[:20]])
def test_what_is_no_wav_file_is_told(raw: bytes) -> None:
    with pytest.raises(NotASound):
        read_wav(raw)
