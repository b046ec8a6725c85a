"""The catalogue and the code know the same prompts."""

import string

import pytest

from dialer.machine.waiting import FARTHEST_TOLD, position_prompt, wait_prompts
from dialer.policy import CapKind, Policy
from tests.warmline.prompts import spoken
from warmline.programs import load_shipped
from warmline.prompts.catalogue import LANGUAGES, Prompt, shipped, warned_seconds
from warmline.prompts.numbers import SPEAKERS

EVERY_WAIT_SECONDS = range(0, 7201)
EVERY_POSITION = range(1, 2 * FARTHEST_TOLD)


def numbered() -> set[str]:
    """Every key with a number in it that a waiting caller can be told, and what stands in for it
    where the number is of no use."""
    waits = {key for seconds in EVERY_WAIT_SECONDS for key in wait_prompts(seconds)}
    return waits | {position_prompt(position) for position in EVERY_POSITION}


def prompts(*warn_seconds: int) -> dict[str, Prompt]:
    return {one.key: one for one in shipped().prompts(warn_seconds)}


def test_everything_that_is_spoken_can_be_told_from_the_code() -> None:
    assert spoken.find().unresolved == ()


def test_every_prompt_that_can_be_spoken_is_in_the_catalogue_and_no_other() -> None:
    found = spoken.find()

    assert found.families == {"left_"}
    assert set(prompts()) == found.keys | numbered()
    assert set(prompts(120, 30)) == found.keys | numbered() | {"left_120", "left_30"}


def test_every_prompt_has_a_text_in_every_language_and_no_placeholder_is_left() -> None:
    for prompt in prompts(120, 75, 30).values():
        assert set(prompt.texts) == set(LANGUAGES)
        assert all(text and not set(text) & set("{}") for text in prompt.texts.values())


def test_every_language_has_a_voice_and_words_for_numbers() -> None:
    assert set(shipped().voices) == set(LANGUAGES) == set(SPEAKERS)


def test_a_numbered_text_names_one_number_in_every_language() -> None:
    for texts in shipped().numbered.values():
        for language, text in texts.items():
            named = [name for _, name, _, _ in string.Formatter().parse(text) if name]
            assert len(named) == 1
            assert named[0] in SPEAKERS[language]


def test_the_warnings_of_every_program_are_prompts() -> None:
    policies = [program.dialer for program in load_shipped().values()]

    assert warned_seconds(policies) == {120, 30}
    assert warned_seconds([Policy(warn_seconds=(90,)), Policy(cap_kind=CapKind.NONE)]) == {90}


def test_numbers_are_said_as_people_say_them() -> None:
    said = prompts(120, 90, 65, 2)

    assert said["position_12"].texts["zh-CN"] == "您排在第十二位。"
    assert said["position_2"].texts["zh-CN"] == "您排在第二位。"
    assert said["wait_2"].texts["zh-CN"] == "大约需要等待两分钟。"
    assert said["wait_45"].texts["zh-CN"] == "大约需要等待四十五分钟。"
    assert said["left_120"].texts == {"zh-CN": "通话时间剩余两分钟。", "en": "2 minutes left."}
    assert said["left_90"].texts["zh-CN"] == "通话时间剩余一分三十秒。"
    assert said["left_90"].texts["en"] == "1 minute and 30 seconds left."
    assert said["left_65"].texts["zh-CN"] == "通话时间剩余一分零五秒。"
    assert said["left_2"].texts["zh-CN"] == "通话时间剩余两秒。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_a_program_may_ask_for_can_be_said(language: str) -> None:
    texts = [prompt.texts[language] for prompt in shipped().prompts(range(1, 3601))]

    assert len(set(texts)) == len(texts)
