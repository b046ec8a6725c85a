"""Whose account at Twilio it is, and where Twilio is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """An account. Requests go by the API key where there is one, else by the auth token.

    `edge` and `region` belong together. `api_url` stands for every product's own address: a proxy,
    or a stand-in.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    api_key: str | None = None
    api_secret: str | None = field(default=None, repr=False)
    api_url: str | None = None
    edge: str | None = None
    region: str | None = None

    def __post_init__(self) -> None:
        assert (self.edge is None) == (self.region is None)
        assert (self.api_key is None) == (self.api_secret is None)

    @property
    def user(self) -> str:
        """Who asks."""
        return self.api_key or self.account_sid

    @property
    def password(self) -> str:
        """What proves it."""
        return self.api_secret or self.auth_token
