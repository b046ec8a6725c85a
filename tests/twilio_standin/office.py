"""The rest of the REST API: messages, codes, and what the account has."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.twilio_standin.calls import API_VERSION, Address, rfc_2822
from tests.twilio_standin.exchange import Exchange, Impossible, OwnNumber, new_sid
from tests.twilio_standin.hooks import Post
from tests.twilio_standin.operations import Asked
from tests.twilio_standin.paging import Body, listed, listed_with_meta
from tests.twilio_standin.rest import Handles

_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
_MOST_SENDS = 5
_MOST_CHECKS = 5
_CODE_VALID = timedelta(minutes=10)
_LETTERS_PER_SEGMENT = 70


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One text."""

    sid: str
    to: str
    from_: str | None
    service: str | None
    body: str
    created_at: datetime
    callback: Address | None
    status: str = "queued"
    error: int | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Verification:
    """A code on its way to somebody."""

    sid: str
    service: str
    to: str
    channel: str
    code: str
    created_at: datetime
    status: str = "pending"
    sends: int = 1
    checks: int = 0


@dataclass(slots=True, eq=False)
class Office:
    """What is not voice."""

    exchange: Exchange
    messages: dict[str, Message] = field(default_factory=dict)
    verify_service: str = field(default_factory=lambda: new_sid("VA"))
    codes: list[Verification] = field(default_factory=list)
    profile: str | None = "twilio-approved"
    """The status of the account's customer profile; None: it has none."""

    account_status: str = "active"
    account_type: str = "Full"
    undeliverable: dict[str, int] = field(default_factory=dict)
    """Numbers whose texts fail, and the error code."""

    def handles(self) -> Handles:
        """What answers what."""
        return {
            ("GET", "/2010-04-01/Accounts/{Sid}.json"): self._account,
            ("GET", f"{_ACCOUNT}/IncomingPhoneNumbers.json"): self._numbers,
            ("POST", f"{_ACCOUNT}/Messages.json"): self._create_message,
            ("GET", f"{_ACCOUNT}/Messages/{{Sid}}.json"): self._fetch_message,
            ("GET", "/v2/Services/{Sid}"): self._service,
            ("POST", "/v2/Services/{ServiceSid}/Verifications"): self._send_code,
            ("POST", "/v2/Services/{ServiceSid}/VerificationCheck"): self._check_code,
            ("GET", "/v1/CustomerProfiles"): self._profiles,
            ("GET", "/v1/Alerts"): lambda asked: listed_with_meta(asked, "alerts", []),
        }

    # -- the account -------------------------------------------------------------------------

    def _account(self, asked: Asked) -> tuple[int, Body]:
        account = self.exchange.account
        if asked.path["Sid"] != account.sid:
            raise Impossible(404, 20404, "The requested resource was not found")
        return 200, {
            "sid": account.sid,
            "owner_account_sid": account.sid,
            "friendly_name": "stand-in",
            "status": self.account_status,
            "type": self.account_type,
            "auth_token": account.token,
            "date_created": rfc_2822(self.exchange.clock.now()),
            "date_updated": rfc_2822(self.exchange.clock.now()),
            "uri": f"/{API_VERSION}/Accounts/{account.sid}.json",
            "subresource_uris": {},
        }

    def _numbers(self, asked: Asked) -> tuple[int, Body]:
        wanted = asked.get("PhoneNumber")
        found = [n for n in self.exchange.numbers.values() if wanted in (None, n.number)]
        return listed(asked, "incoming_phone_numbers", [self._number(one) for one in found])

    def _number(self, own: OwnNumber) -> Body:
        account = self.exchange.account.sid
        voice, fallback, status = own.voice, own.fallback, own.status
        return {
            "sid": own.sid,
            "account_sid": account,
            "phone_number": own.number,
            "friendly_name": own.number,
            "api_version": API_VERSION,
            "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
            "status": "in-use",
            "voice_url": voice.url if voice else "",
            "voice_method": voice.method if voice else "POST",
            "voice_fallback_url": fallback.url if fallback else "",
            "voice_receive_mode": "voice",
            "status_callback": status.url if status else "",
            "uri": f"/{API_VERSION}/Accounts/{account}/IncomingPhoneNumbers/{own.sid}.json",
        }

    def _profiles(self, asked: Asked) -> tuple[int, Body]:
        found: list[Body] = []
        if self.profile is not None and asked.get("Status") in (None, self.profile):
            account = self.exchange.account.sid
            found.append({"sid": new_sid("BU"), "account_sid": account, "status": self.profile})
        return listed_with_meta(asked, "results", found)

    # -- messages ----------------------------------------------------------------------------

    def _create_message(self, asked: Asked) -> tuple[int, Body]:
        to = asked.get("To")
        assert to is not None
        callback = asked.get("StatusCallback")
        message = Message(
            sid=new_sid("SM"),
            to=to,
            from_=asked.get("From"),
            service=asked.get("MessagingServiceSid"),
            body=asked.get("Body") or "",
            created_at=self.exchange.clock.now(),
            callback=None if callback is None else Address(url=callback),
        )
        if message.from_ is not None and message.from_ not in self.exchange.numbers:
            raise Impossible(400, 21606, "The From number is not a number of yours")
        self.messages[message.sid] = message
        answer = self._message(message)
        self.exchange.clock.after(0, lambda: self._send(message))
        return 201, answer

    def _fetch_message(self, asked: Asked) -> tuple[int, Body]:
        message = self.messages.get(asked.path["Sid"])
        if message is None:
            raise Impossible(404, 20404, "The requested resource was not found")
        return 200, self._message(message)

    def _message(self, message: Message) -> Body:
        account = self.exchange.account.sid
        return {
            "sid": message.sid,
            "account_sid": account,
            "api_version": API_VERSION,
            "body": message.body,
            "direction": "outbound-api",
            "from": message.from_,
            "to": message.to,
            "messaging_service_sid": message.service,
            "status": message.status,
            "error_code": message.error,
            "error_message": None,
            "num_media": "0",
            "num_segments": str(-(-len(message.body) // _LETTERS_PER_SEGMENT)),
            "price": None,
            "price_unit": "USD",
            "date_created": rfc_2822(message.created_at),
            "date_updated": rfc_2822(message.created_at),
            "date_sent": None,
            "uri": f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}.json",
            "subresource_uris": {},
        }

    def _send(self, message: Message) -> None:
        self._tell(message, "sent")
        message.error = self.undeliverable.get(message.to)
        if message.error is None:
            self.exchange.phones[message.to].messages.append(message.body)
        self._tell(message, "delivered" if message.error is None else "undelivered")

    def _tell(self, message: Message, status: str) -> None:
        message.status = status
        if message.callback is None:
            return
        params = {
            "AccountSid": self.exchange.account.sid,
            "ApiVersion": API_VERSION,
            "To": message.to,
            "MessageSid": message.sid,
            "SmsSid": message.sid,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        if message.from_ is not None:
            params["From"] = message.from_
        if message.service is not None:
            params["MessagingServiceSid"] = message.service
        if message.error is not None:
            params["ErrorCode"] = str(message.error)
        if status in ("delivered", "undelivered"):
            params["RawDlrDoneDate"] = f"{self.exchange.clock.now():%y%m%d%H%M}"
        self.exchange.mouth.tell(
            Post(
                url=message.callback.url,
                method="POST",
                params=params,
                stream=f"message {message.sid}",
                what=f"message {status}",
            )
        )

    # -- codes -------------------------------------------------------------------------------

    def _service(self, asked: Asked) -> tuple[int, Body]:
        self._known(asked.path["Sid"])
        return 200, {
            "sid": self.verify_service,
            "account_sid": self.exchange.account.sid,
            "friendly_name": "stand-in",
            "code_length": 6,
            "custom_code_enabled": True,
            "url": f"https://verify.twilio.com/v2/Services/{self.verify_service}",
        }

    def _send_code(self, asked: Asked) -> tuple[int, Body]:
        service, to = asked.path["ServiceSid"], asked.get("To")
        self._known(service)
        assert to is not None
        found = self._pending(to)
        if found is None:
            found = Verification(
                sid=new_sid("VE"),
                service=service,
                to=to,
                channel=asked.get("Channel") or "sms",
                code=asked.get("CustomCode") or f"{secrets.randbelow(10**6):06}",
                created_at=self.exchange.clock.now(),
            )
            self.codes.append(found)
        elif found.sends >= _MOST_SENDS:
            raise Impossible(429, 60203, "Max send attempts reached")
        else:
            found.sends += 1
            found.code = asked.get("CustomCode") or found.code
        self.exchange.phones[to].messages.append(found.code)
        return 201, {**self._verification(found), "send_code_attempts": [], "sna": None}

    def _check_code(self, asked: Asked) -> tuple[int, Body]:
        self._known(asked.path["ServiceSid"])
        found = self._pending(asked.get("To") or "", asked.get("VerificationSid") or "")
        if found is None:  # documented: expired, approved or never sent
            raise Impossible(404, 20404, "The requested resource was not found")
        if found.checks >= _MOST_CHECKS:
            raise Impossible(429, 60202, "Max check attempts reached")
        found.checks += 1
        if asked.get("Code") == found.code:
            found.status = "approved"
        return 200, self._verification(found)

    def _pending(self, to: str, sid: str = "") -> Verification | None:
        now = self.exchange.clock.now()
        return next(
            (
                one
                for one in self.codes
                if (one.to == to or one.sid == sid)
                and one.status == "pending"
                and now - one.created_at < _CODE_VALID
            ),
            None,
        )

    def _verification(self, one: Verification) -> Body:
        return {
            "sid": one.sid,
            "service_sid": one.service,
            "account_sid": self.exchange.account.sid,
            "to": one.to,
            "channel": one.channel,
            "status": one.status,
            "valid": one.status == "approved",
            "date_created": one.created_at.isoformat(),
            "date_updated": one.created_at.isoformat(),
        }

    def _known(self, service: str) -> None:
        if service != self.verify_service:
            raise Impossible(404, 20404, "The requested resource was not found")
