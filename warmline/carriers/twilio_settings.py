"""The settings of an account at Twilio; all of their variables begin with `WARMLINE_TWILIO_`."""

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

_SID = r"^{}[0-9a-f]{{32}}$"


class TwilioSettings(BaseSettings):
    """Read together with all others."""

    twilio_account_sid: str | None = Field(None, pattern=_SID.format("AC"))
    twilio_auth_token: SecretStr | None = None
    """Twilio signs its webhooks with it; requests go by it, too, where there is no API key."""

    twilio_auth_token_secondary: SecretStr | None = None
    """While the token is changed: the other one of the two."""

    twilio_api_key: str | None = Field(None, pattern=_SID.format("SK"))
    twilio_api_secret: SecretStr | None = None
    """For requests, instead of the token: a key can be taken back alone."""

    twilio_numbers: Annotated[tuple[str, ...], NoDecode] = ()
    """Our numbers at Twilio, `+` in front, separated by commas. The first is shown, and sends SMS,
    where a program shows one that Twilio may not."""

    twilio_calls_per_second: Annotated[int, Field(ge=1, le=100)] = 1
    """What Twilio allows the account; more would only wait there, and ring late."""

    twilio_edge: str | None = Field(None, pattern=r"^[a-z0-9-]+$")
    twilio_region: str | None = Field(None, pattern=r"^[a-z0-9-]+$")
    """Both or neither (`dublin`, `ie1`)."""

    twilio_api_url: str | None = Field(None, pattern=r"^https?://")
    """Stands for the address of every product: a proxy, or a stand-in."""

    twilio_fallback_url: str | None = Field(None, pattern=r"^https://")
    """What Twilio asks where we do not answer: a document on another host."""

    twilio_messaging_service: str | None = Field(None, pattern=_SID.format("MG"))
    """Sends SMS instead of the first number."""

    twilio_verify_service: str | None = Field(None, pattern=_SID.format("VA"))
    """Sends the codes that prove a phone, instead of an SMS of our own."""

    @field_validator("twilio_numbers", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        return value
