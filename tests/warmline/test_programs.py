"""Program files: the shipped ones hold the sources' numbers, a wrong one says where it is wrong."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

import billing.policy
import dialer.policy
import routing.policy
import warmline.programs
from billing.policy import VoucherUse
from dialer.policy import CapKind, OnExhausted
from routing.hours import is_open
from routing.policy import Matching
from terms.calendar import Workdays
from terms.ids import ProgramId
from terms.verdict import Role
from warmline.exits import Unusable
from warmline.programs import (
    LineFault,
    Program,
    ProgramFileInvalid,
    check,
    load_directory,
    load_programs,
    load_shipped,
    read_program,
)

SHIPPED = Path(warmline.programs.__file__).parent
DOCTOR_TEXT = (SHIPPED / "family-doctor.toml").read_text(encoding="utf-8")


def line_of(text: str, start: str) -> int:
    """The line of `text` that begins with `start`, counted from 1."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith(start))


@pytest.fixture
def listening() -> Program:
    return load_shipped()[ProgramId("psych-listening")]


@pytest.fixture
def doctor() -> Program:
    return load_shipped()[ProgramId("family-doctor")]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A sound program file to spoil."""
    path = tmp_path / "mine.toml"
    path.write_text(DOCTOR_TEXT, encoding="utf-8")
    return path


def spoil(file: Path, old: str, new: str) -> str:
    assert old in DOCTOR_TEXT
    text = DOCTOR_TEXT.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    return text


@pytest.mark.rule("A01", "A25", "A03")
def test_a_listening_talk_is_cut_after_25_minutes_and_warned_of_twice(listening: Program) -> None:
    assert listening.granted_seconds == 25 * 60
    assert listening.dialer.cap_kind is CapKind.HARD
    assert listening.dialer.warn_seconds == (120, 30)
    assert listening.dialer.cap_grace_seconds == 0


@pytest.mark.parametrize(
    ("hour", "minute", "open_"), [(9, 59, False), (10, 0, True), (21, 59, True), (22, 0, False)]
)
@pytest.mark.rule("A24", "X05")
def test_listening_is_open_from_ten_to_ten_in_shanghai(
    listening: Program, hour: int, minute: int, open_: bool
) -> None:
    then = datetime(2030, 1, 1, (hour - 8) % 24, minute, tzinfo=UTC)

    assert is_open(listening.routing.hours, then, Workdays()) is open_


@pytest.mark.rule("A09", "A15", "A37")
def test_a_listener_is_chosen_by_name_and_kept_and_the_caller_is_rung_first(
    listening: Program,
) -> None:
    assert listening.routing.matching is Matching.NAMED
    assert listening.billing.counselor_locked
    assert listening.dialer.ring_first is Role.CALLER


@pytest.mark.rule("A14", "A18", "A19", "A28", "A32", "A35")
def test_listening_costs_a_voucher_and_its_clocks_are_those_of_the_sheet(
    listening: Program,
) -> None:
    worth = listening.billing

    assert worth.voucher is VoucherUse.REQUIRED
    assert worth.consumes_on == "connect"
    assert (worth.order_seconds, worth.claim_seconds) == (24 * 3600, 24 * 3600)
    assert (worth.resume_seconds, worth.resume_min_seconds) == (24 * 3600, 300)
    assert worth.short_call_seconds == 60


@pytest.mark.rule("X03", "A40")
def test_an_unreached_listening_order_stays_open_with_growing_pauses(listening: Program) -> None:
    assert listening.dialer.on_exhausted is OnExhausted.KEEP
    first, second = listening.dialer.attempt_spacing_seconds
    assert first < second


@pytest.mark.rule("A38", "A43", "A04")
def test_listening_says_what_it_costs_and_what_it_is_not_in_both_languages(
    listening: Program,
) -> None:
    assert "费" in listening.charge_notice.zh
    assert "charge" in listening.charge_notice.en
    assert "心理咨询" in listening.disclaimer.zh
    assert "counseling" in listening.disclaimer.en
    assert "referral" in listening.dispositions
    assert {"work_stress", "family_conflict", "parenting", "love_and_marriage"} <= set(
        listening.topics
    )


@pytest.mark.rule("C03", "C05", "X33")
def test_a_family_doctor_is_there_day_and_night_for_at_most_15_minutes(doctor: Program) -> None:
    assert doctor.granted_seconds == 15 * 60
    assert doctor.dialer.cap_kind is CapKind.HARD
    for hour in range(24):
        assert is_open(doctor.routing.hours, datetime(2030, 1, 1, hour, tzinfo=UTC), Workdays())


@pytest.mark.rule("C06", "C07", "C12")
def test_a_family_doctor_comes_from_the_pool_and_is_qualified(doctor: Program) -> None:
    assert doctor.routing.matching is Matching.POOL
    assert not doctor.billing.counselor_locked
    assert {str(kind) for kind in doctor.routing.staff_types} == {"full_time", "hospital"}
    assert doctor.routing.least_grade.name == "ATTENDING"
    assert doctor.routing.least_hospital.name == "GRADE_3A"


@pytest.mark.rule("X27", "C27")
def test_the_doctor_tries_at_0_3_and_8_minutes_and_then_the_order_is_cancelled(
    doctor: Program,
) -> None:
    pauses = [doctor.dialer.spacing_after(counted) for counted in (1, 2)]

    assert doctor.dialer.attempts == 3
    assert [0, pauses[0], sum(pauses)] == [0, 3 * 60, 8 * 60]
    assert doctor.dialer.on_exhausted is OnExhausted.CANCEL
    assert doctor.dialer.ring_first is Role.COUNSELOR


@pytest.mark.rule("C08", "C10", "C11", "X34", "X28")
def test_a_family_doctor_costs_nothing_one_order_at_a_time_and_owes_a_summary(
    doctor: Program,
) -> None:
    assert doctor.billing.voucher is VoucherUse.NONE
    assert doctor.billing.one_open_order_per_person
    assert doctor.billing.summary_required
    assert not doctor.billing.no_contact_consumes


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.name)
def test_every_shipped_file_is_sound_and_named_like_its_program(path: Path) -> None:
    assert check(path) == []
    assert load_shipped()[ProgramId(path.stem)].body == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("ring_seconds = 30", 'ring_seconds = "30"', "ring_seconds"),
        ("order_seconds = 86400", "order_seconds = 0", "order_seconds"),
        ('matching = "pool"', 'matching = "any"', "matching"),
        ('id = "family-doctor"', 'id = "Family Doctor"', "id"),
        ('voucher = "none"', 'voucher = "maybe"', "voucher"),
        ('name_en = "Family doctor"', "name_en = 5", "name_en"),
    ],
)
def test_a_wrong_value_is_told_with_its_line(file: Path, old: str, new: str, key: str) -> None:
    text = spoil(file, old, new)

    (fault,) = check(file)

    assert (fault.line, fault.key) == (line_of(text, key), key)
    assert str(fault).startswith(f"line {fault.line}: [{fault.section}] {key} ")


def test_every_fault_of_a_file_is_told_at_once_in_the_order_of_lines(file: Path) -> None:
    text = DOCTOR_TEXT
    for old, new in (
        ("cap_seconds = 900", "cap_seconds = -1"),
        ('role = "doctor"', "rolle = 'doctor'"),
        ('voucher = "none"', "voucher = 1"),
    ):
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")

    faults = check(file)

    assert [fault.line for fault in faults] == sorted(fault.line for fault in faults)
    assert {fault.key for fault in faults} >= {"cap_seconds", "role", "rolle", "voucher"}


@pytest.mark.rule("B04")
def test_a_change_announced_too_late_is_told_at_its_own_line(file: Path) -> None:
    change = """
[[billing.changes]]
effective_on = 2027-03-01
announced_on = {}
text_zh = "通话时间改为9点至21点"
text_en = "talks from 9:00 to 21:00"
"""
    body = file.read_text(encoding="utf-8")
    in_time = body + change.format("2027-01-30")
    file.write_text(in_time, encoding="utf-8")
    assert check(file) == []

    late = change.format("2027-01-31").replace("2027-03-01", "2027-03-02")
    file.write_text(in_time + late + "text_fr = 1", encoding="utf-8")
    assert [(fault.line, fault.key) for fault in check(file)] == [
        (len((in_time + late).splitlines()) + 1, "changes[2].text_fr"),
    ]
    file.write_text(in_time + late.replace("03-02", "02-20"), encoding="utf-8")
    (fault,) = check(file)
    assert fault.line == len(in_time.splitlines()) + 4
    assert (fault.section, fault.key) == ("billing", "changes[2].announced_on")
    assert "must be 2027-01-21 or earlier: customers are told 30 days ahead" in fault.message


def test_a_missing_key_is_told_at_its_section(file: Path) -> None:
    text = spoil(file, 'matching = "pool"\n', "")

    (fault,) = check(file)

    assert fault == LineFault(line_of(text, "[routing]"), "routing", "matching", "is missing")


def test_an_unknown_key_and_an_unknown_section_are_told_where_they_stand(file: Path) -> None:
    text = spoil(file, "[billing]\n", "[sauna]\nheat = 90\n\n[billing]\nbonus = 1\n")

    faults = check(file)

    assert {(fault.line, fault.section) for fault in faults} == {
        (line_of(text, "[sauna]"), "sauna"),
        (line_of(text, "bonus"), "billing"),
    }


def test_a_missing_section_is_told(file: Path) -> None:
    file.write_text(DOCTOR_TEXT.partition("[billing]")[0], encoding="utf-8")

    (fault,) = check(file)

    assert (fault.line, fault.section) == (1, "billing")


def test_keys_before_any_header_and_inside_long_texts_do_not_mislead(file: Path) -> None:
    text = "# a note\nbilling.order_seconds = 0\n" + DOCTOR_TEXT.partition("[billing]")[0].replace(
        "[routing]", '[program.more]\ntext = """\n[dialer]\ncap_seconds = 1\n"""\n[routing]', 1
    ).replace("cap_seconds = 900", "cap_seconds = -1")
    file.write_text(text, encoding="utf-8")

    places = {(fault.section, fault.key): fault.line for fault in check(file)}

    assert places["billing", "order_seconds"] == 2
    assert places["dialer", "cap_seconds"] == line_of(text, "cap_seconds = -1")


def test_broken_toml_is_told_with_its_line(file: Path) -> None:
    text = spoil(file, "cap_seconds = 900", "cap_seconds = = 900")

    (fault,) = check(file)

    assert fault.line == line_of(text, "cap_seconds")
    assert str(fault).startswith(f"line {fault.line}: is not TOML: ")


def test_a_text_that_ends_too_early_is_told_at_its_last_line(file: Path) -> None:
    file.write_text("[program]\nid = [1,\n", encoding="utf-8")

    (fault,) = check(file)

    assert fault.line == 2


def test_a_file_in_another_encoding_is_told_at_the_first_strange_byte(file: Path) -> None:
    file.write_bytes("[program]\nname_zh = '家庭医生'\n".encode("gb18030"))

    assert check(file) == [LineFault(2, "", "", "is not UTF-8; save the file in that encoding")]


@pytest.mark.rule("X28")
def test_a_no_contact_rule_that_can_never_act_is_a_fault(file: Path) -> None:
    text = DOCTOR_TEXT.replace('on_exhausted = "cancel"', 'on_exhausted = "keep"')
    text = text.replace("no_contact_consumes = false", "no_contact_consumes = true")
    file.write_text(text.replace('voucher = "none"', 'voucher = "required"'), encoding="utf-8")

    (fault,) = check(file)

    assert fault.key == "no_contact_consumes"


@pytest.mark.rule("C02")
def test_a_new_insurer_product_is_a_new_file_beside_the_shipped_ones(file: Path) -> None:
    spoil(file, 'id = "family-doctor"', 'id = "night-doctor"')

    programs = load_programs(file.parent)

    assert set(programs) == {"psych-listening", "family-doctor", "night-doctor"}


@pytest.mark.rule("C02")
def test_a_file_with_a_shipped_id_takes_its_place(file: Path) -> None:
    spoil(file, "cap_seconds = 900", "cap_seconds = 600")

    assert load_programs(file.parent)[ProgramId("family-doctor")].granted_seconds == 600


def test_two_files_of_one_directory_may_not_share_an_id(file: Path) -> None:
    file.with_name("second.toml").write_text(DOCTOR_TEXT, encoding="utf-8")

    with pytest.raises(ProgramFileInvalid, match=r"second\.toml .* line 4: \[program\] id "):
        load_directory(file.parent)


def test_a_directory_that_is_not_there_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="WARMLINE_PROGRAMS"):
        load_programs(tmp_path / "nowhere")


def test_a_program_that_cannot_be_used_stops_the_start_with_its_lines(file: Path) -> None:
    spoil(file, "attempts = 3", "attempts = 0")

    with pytest.raises(Unusable, match=r"mine\.toml .* line \d+: \[dialer\] attempts "):
        load_directory(file.parent)


@pytest.mark.rule("X38")
def test_every_change_of_a_text_gets_another_digest_and_the_old_text_reads_as_before(
    doctor: Program,
) -> None:
    changed = read_program(doctor.body.replace("cap_seconds = 900", "cap_seconds = 600"))

    assert changed.version == doctor.version
    assert changed.digest != doctor.digest
    assert read_program(doctor.body) == doctor


@pytest.mark.rule("D24")
def test_a_program_without_a_cap_grants_no_number_of_seconds() -> None:
    text = DOCTOR_TEXT.replace('cap_kind = "hard"', 'cap_kind = "none"')

    assert read_program(text.replace("warn_seconds = [120, 30]", "")).granted_seconds is None


class Asked(dict[str, object]):
    """A table that remembers which keys a parser looked for."""

    def __init__(self, table: Mapping[str, object]) -> None:
        super().__init__(table)
        self.keys_asked: set[str] = set()

    def get(self, key: str, default: object = None) -> object:
        self.keys_asked.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("section", ["routing", "dialer", "billing"])
def test_the_page_on_programs_names_every_key(section: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "programs.md").read_text(encoding="utf-8")
    chapter = page.partition(f"## [{section}]")[2].partition("\n## ")[0]
    table = Asked(tomllib.loads(DOCTOR_TEXT)[section])
    {"routing": routing.policy, "dialer": dialer.policy, "billing": billing.policy}[section].parse(
        table
    )

    unnamed = {key for key in table.keys_asked if f"`{key}`" not in chapter}

    assert unnamed == set()
