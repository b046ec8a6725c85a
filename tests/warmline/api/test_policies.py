"""Insurers' lists over HTTP."""

import io
import json
import random
import zipfile

from tests.billing.policies.lists import GOOD, cells
from tests.serving import Service
from tests.warmline.policies.kit import as_csv, as_xlsx, zip_bomb
from warmline.api.policies import FILE_LIMIT_BYTES

IMPORT = "/v1/policies/import"
CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
AS_OBJECT = {column.value: text for column, text in GOOD.items()}


async def policies_kept(service: Service) -> int:
    count: int = await service.house.pool.fetchval("SELECT count(*) FROM insurance_policies")
    return count


async def test_an_operator_looks_first_then_writes_then_nothing_is_new(service: Service) -> None:
    operator = await service.sign_in("operator")
    body = {"policies": [AS_OBJECT, {**AS_OBJECT, "policy_number": "P-2"}]}

    answers = []
    for query in ("", "?apply=true", "?apply=true"):
        async with service.client.post(IMPORT + query, json=body, headers=operator) as response:
            assert response.status == 200, await response.text()
            answers.append(await response.json())

    told = [(one["applied"], one["new"], one["changed"], one["unchanged"]) for one in answers]
    assert told == [(False, 2, 0, 0), (True, 2, 0, 0), (True, 0, 0, 2)]
    assert await policies_kept(service) == 2


async def test_a_list_may_be_sent_as_the_file_it_is(service: Service) -> None:
    operator = await service.sign_in("operator")
    cells_of_sheet = [[column.value for column in GOOD], list(GOOD.values())]
    files = [
        (as_csv([GOOD]), CSV),
        (as_csv([GOOD], encoding="gb18030"), CSV),
        (as_xlsx(cells_of_sheet), XLSX),
    ]

    for body, headers in files:
        async with service.client.post(IMPORT, data=body, headers=operator | headers) as response:
            assert response.status == 200, await response.text()
            assert (await response.json())["new_policies"] == [
                {"sponsor": "default", "number": "P-1"}
            ]


async def test_rejected_lines_are_named_and_keep_everything_out_unless_chosen_otherwise(
    service: Service,
) -> None:
    operator = await service.sign_in("operator")
    body = as_csv([cells(), cells(policy_number="P-2", status="?")])

    async with service.client.post(
        f"{IMPORT}?apply=true", data=body, headers=operator | CSV
    ) as response:
        whole = await response.json()
    async with service.client.post(
        f"{IMPORT}?apply=true&partial=true", data=body, headers=operator | CSV
    ) as response:
        partial = await response.json()

    assert whole["applied"] is False
    assert partial["applied"] is True
    assert whole["rejected_lines"] == [
        {
            "line": 3,
            "number": "P-2",
            "reasons": [
                "status: must be one of in_force, surrendered, lapsed, ended, or its Chinese word"
            ],
            "faults": [
                {
                    "code": "not_one_of",
                    "column": "status",
                    "given": {"words": "in_force, surrendered, lapsed, ended"},
                }
            ],
        }
    ]
    assert await policies_kept(service) == 1


async def test_a_change_is_told_field_by_field_with_people_masked(service: Service) -> None:
    operator = await service.sign_in("operator")
    first, second = as_csv([cells()]), as_csv([cells(policyholder_phone="13800000009")])
    await (
        await service.client.post(f"{IMPORT}?apply=true", data=first, headers=operator | CSV)
    ).release()

    async with service.client.post(IMPORT, data=second, headers=operator | CSV) as response:
        text = await response.text()

    assert json.loads(text)["changed_policies"][0]["changes"] == [
        {"field": "policyholder.phone", "before": "+86138****0001", "after": "+86138****0009"}
    ]
    for secret in ("13800000009", "13800000001", "李强", "王芳"):
        assert secret not in text


async def test_nobody_but_an_operator_imports(service: Service) -> None:
    for role in ("counselor", "steward", "support", "supervisor", "insurer"):
        headers = await service.sign_in(role)
        async with service.client.post(IMPORT, json={"policies": []}, headers=headers) as response:
            assert response.status == 403


async def test_a_list_larger_than_other_bodies_may_be_is_taken(service: Service) -> None:
    operator = await service.sign_in("operator")
    body = as_csv([cells(policy_number=f"P-{number}") for number in range(2000)])
    assert len(body) > 3 * 64 * 1024

    async with service.client.post(IMPORT, data=body, headers=operator | CSV) as response:
        assert response.status == 200
        assert (await response.json())["new"] == 2000


async def test_a_list_larger_than_the_documented_limit_is_refused(service: Service) -> None:
    operator = await service.sign_in("operator")

    async with service.client.post(
        IMPORT, data=io.BytesIO(b"x" * (FILE_LIMIT_BYTES + 1)), headers=operator | CSV
    ) as response:
        assert response.status == 413
        assert str(FILE_LIMIT_BYTES) in (await response.json())["detail"]


async def test_a_file_that_cannot_be_read_is_bad_input_that_says_why(service: Service) -> None:
    operator = await service.sign_in("operator")
    shoes = {"place": "1", "header": "shoes"}
    for body, headers, told, code, given in (
        (b"shoes,hats\n1,2", CSV, "the header 'shoes' is not known", "header_unknown", shoes),
        (b"", CSV, "The file is empty", "empty", {}),
        (b"\xff\xff", CSV, "neither UTF-8 nor GB 18030", "encoding_unknown", {"line": "1"}),
        (b"PK\x03\x04", XLSX, "damaged", "damaged", {}),
        (zip_bomb(), XLSX, "far too large when unpacked", "too_large_unpacked", {}),
    ):
        async with service.client.post(IMPORT, data=body, headers=operator | headers) as response:
            assert response.status == 422
            problem = await response.json()
        first = problem["errors"][0]
        assert told in first["detail"]
        assert (first["code"], first["given"]) == (code, given)


async def test_a_workbook_that_only_the_command_has_room_for_is_not_unpacked(
    service: Service,
) -> None:
    operator = await service.sign_in("operator")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr("padding", random.Random(1).randbytes(1024 * 1024))
        book.writestr("xl/sharedStrings.xml", b"0" * 65 * 1024 * 1024, zipfile.ZIP_DEFLATED)

    packed.seek(0)
    async with service.client.post(IMPORT, data=packed, headers=operator | XLSX) as response:
        assert response.status == 422
        assert "far too large" in (await response.json())["errors"][0]["detail"]


async def test_too_many_lines_are_sent_to_the_command(service: Service) -> None:
    operator = await service.sign_in("operator")
    body = b"\n".join([as_csv([GOOD]).split(b"\r\n")[0], *[b"a,b"] * 20_001])

    async with service.client.post(IMPORT, data=body, headers=operator | CSV) as response:
        assert response.status == 422
        assert "warmline policies import" in (await response.json())["errors"][0]["detail"]


async def test_other_kinds_of_files_are_refused(service: Service) -> None:
    operator = await service.sign_in("operator")

    async with service.client.post(
        IMPORT, data=b"%PDF", headers=operator | {"Content-Type": "application/pdf"}
    ) as response:
        assert response.status == 415


async def test_the_same_file_under_the_same_key_is_taken_once_and_another_is_refused(
    service: Service,
) -> None:
    operator = await service.sign_in("operator")
    headers = operator | CSV | {"Idempotency-Key": "list-1"}
    url = f"{IMPORT}?apply=true"

    answers = []
    for body in (as_csv([cells()]), as_csv([cells()]), as_csv([cells(policy_number="P-9")])):
        async with service.client.post(url, data=body, headers=headers) as response:
            answers.append((response.status, (await response.json()).get("new")))

    assert answers == [(200, 1), (200, 1), (422, None)]
    assert await policies_kept(service) == 1


async def test_a_file_and_the_same_list_as_objects_are_one(service: Service) -> None:
    operator = await service.sign_in("operator")
    async with service.client.post(
        f"{IMPORT}?apply=true", data=as_csv([cells()]), headers=operator | CSV
    ) as response:
        assert (await response.json())["applied"] is True

    async with service.client.post(
        IMPORT, json={"policies": [AS_OBJECT]}, headers=operator
    ) as response:
        assert (await response.json())["unchanged"] == 1
