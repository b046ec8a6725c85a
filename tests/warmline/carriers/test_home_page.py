"""The page at `/` says what rings."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from warmline.api.pages import add_pages


async def home(carrier: str) -> str:
    app = web.Application()
    add_pages(app, carrier)
    async with TestClient(TestServer(app)) as client, client.get("/") as response:
        assert response.status == 200
        return await response.text()


@pytest.mark.parametrize("carrier", ["asterisk", "twilio"])
async def test_where_phones_are_real_the_page_names_the_carrier(carrier: str) -> None:
    page = await home(carrier)

    assert f"<code>{carrier}</code>" in page
    assert "模拟电话，不会拨打真实号码" not in page
    assert "app.js" not in page


async def test_where_they_are_simulated_it_says_so() -> None:
    assert "模拟电话，不会拨打真实号码" in await home("simulated")
