"""Whoever lets others reach a service without real phones is told so."""

import pytest
from structlog.testing import capture_logs

from warmline.serve import warn_of_open_door
from warmline.settings import Settings


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True)],
)
def test_the_log_warns_where_the_simulated_carrier_is_on_the_network(
    host: str, warned: bool
) -> None:
    with capture_logs() as logs:
        warn_of_open_door(Settings.load(host=host))
    assert [line["log_level"] for line in logs] == ["warning"] * warned
