"""What each finding about an account at Twilio means."""

from collections.abc import Mapping

from warmline.findings.codes import FindingCode, Health, Kind

_GOOD, _WARNING, _WRONG = Health.GOOD, Health.WARNING, Health.WRONG
_GOING_LIVE = "Before going live:"
_BLOCKED = (
    f"{_GOING_LIVE} have a Business Primary Customer Profile approved (console, Trust Hub). "
    "Without one Twilio lets two calls stand at a time, which is one conversation, and does "
    "not raise the calls per second."
)
_NUMBER = "twilio number ..{ending}"

OF_TWILIO: Mapping[FindingCode, Kind] = {
    FindingCode.TWILIO_WRONG: Kind("twilio", _WRONG, "{why}"),
    FindingCode.TWILIO_ACCOUNT_UNTOLD: Kind(
        "twilio account",
        _WRONG,
        "{why}: mend WARMLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN, _API_KEY and _API_SECRET, or the "
        "way to Twilio.",
    ),
    FindingCode.TWILIO_ACCOUNT_INACTIVE: Kind(
        "twilio account", _WRONG, "The account is {status}: see to it in Twilio's console."
    ),
    FindingCode.TWILIO_ACCOUNT_TRIAL: Kind(
        "twilio account",
        _WARNING,
        f"{_GOING_LIVE} upgrade the trial account. Until then Twilio ends every call after ten "
        "minutes, rings verified numbers alone, and says so before anybody is connected.",
    ),
    FindingCode.TWILIO_ACCOUNT_GOOD: Kind(
        "twilio account", _GOOD, "active, and the token is the account's"
    ),
    FindingCode.TWILIO_NUMBER_UNTOLD: Kind(_NUMBER, _WARNING, "{why}: it could not be looked at."),
    FindingCode.TWILIO_NUMBER_FOREIGN: Kind(
        _NUMBER,
        _WRONG,
        "It is not a number of this account: mend WARMLINE_TWILIO_NUMBERS, or buy it.",
    ),
    FindingCode.TWILIO_NUMBER_SILENT: Kind(
        _NUMBER, _WRONG, "It carries no voice: take another number."
    ),
    FindingCode.TWILIO_NUMBER_WITHOUT_SMS: Kind(
        _NUMBER,
        _WRONG,
        "It sends no SMS: name one that does first in WARMLINE_TWILIO_NUMBERS, or set "
        "WARMLINE_TWILIO_MESSAGING_SERVICE.",
    ),
    FindingCode.TWILIO_NUMBER_ELSEWHERE: Kind(
        _NUMBER,
        _WARNING,
        "Who dials it does not reach us: in Twilio's console, at this number, set {what} "
        "(webhook, HTTP POST).",
    ),
    FindingCode.TWILIO_NUMBER_OURS: Kind(
        _NUMBER, _GOOD, "it is the account's, and its webhooks are ours"
    ),
    FindingCode.TWILIO_NUMBER_GOOD: Kind(_NUMBER, _GOOD, "it is the account's"),
    FindingCode.TWILIO_PROFILE_UNTOLD: Kind("twilio profile", _WARNING, f"{{why}}. {_BLOCKED}"),
    FindingCode.TWILIO_PROFILE_MISSING: Kind("twilio profile", _WARNING, _BLOCKED),
    FindingCode.TWILIO_PROFILE_GOOD: Kind(
        "twilio profile",
        _GOOD,
        "a customer profile is approved; that it is the business one, only the console tells",
    ),
    FindingCode.TWILIO_VERIFY_UNTOLD: Kind(
        "twilio verify",
        _WRONG,
        "{why}: mend WARMLINE_TWILIO_VERIFY_SERVICE, or leave it out.",
    ),
    FindingCode.TWILIO_VERIFY_NO_CODES: Kind(
        "twilio verify",
        _WARNING,
        "It takes no codes of ours, so they go by plain SMS: have Twilio's support enable custom "
        "codes for it, or leave WARMLINE_TWILIO_VERIFY_SERVICE out.",
    ),
    FindingCode.TWILIO_VERIFY_GOOD: Kind("twilio verify", _GOOD, "it takes our codes"),
    FindingCode.TWILIO_WEBHOOKS_PLAIN: Kind(
        "twilio webhooks",
        _WRONG,
        "WARMLINE_PUBLIC_URL must begin with https://: what Twilio tells names people.",
    ),
    FindingCode.TWILIO_WEBHOOKS_NOBODY: Kind(
        "twilio webhooks",
        _WARNING,
        "Nobody answers at {url} ({why}): start `warmline serve`, and see that the address leads "
        "to it.",
    ),
    FindingCode.TWILIO_WEBHOOKS_REDIRECTED: Kind(
        "twilio webhooks",
        _WRONG,
        "{url} answers with a redirection: Twilio loses what it sends there.",
    ),
    FindingCode.TWILIO_WEBHOOKS_UNSIGNED: Kind(
        "twilio webhooks",
        _WRONG,
        "A signature does not hold when it arrives: WARMLINE_PUBLIC_URL must be the address as "
        "Twilio sees it, a proxy may not change the path, and the service must run with this "
        "WARMLINE_TWILIO_AUTH_TOKEN.",
    ),
    FindingCode.TWILIO_WEBHOOKS_STRANGE: Kind(
        "twilio webhooks",
        _WRONG,
        "Somebody else answers at {url} (status {status}), or a service that does not stand on "
        "Twilio: see where the address leads.",
    ),
    FindingCode.TWILIO_WEBHOOKS_GOOD: Kind(
        "twilio webhooks", _GOOD, "they arrive, and forged ones are turned away"
    ),
    FindingCode.TWILIO_RATE_OF_ONE: Kind(
        "twilio calls per second",
        _WARNING,
        f"{_GOING_LIVE} one call a second connects thirty conversations a minute at best, and "
        "leaves none free for an agency. Raise it in Twilio's console (Voice, Settings, "
        "General), then set WARMLINE_TWILIO_CALLS_PER_SECOND to the same.",
    ),
    FindingCode.TWILIO_RATE_GOOD: Kind(
        "twilio calls per second",
        _GOOD,
        "{count} by the settings, one of them kept for an agency; the console has the real one",
    ),
    FindingCode.TWILIO_SHOWN_FOREIGN: Kind(
        "twilio shown number",
        _WARNING,
        "{programs}: the number they show is none of WARMLINE_TWILIO_NUMBERS, so people see the "
        "one that ends in {ending}. Mend `shows` in the program.",
    ),
    FindingCode.TWILIO_SHOWN_GOOD: Kind(
        "twilio shown number", _GOOD, "every program shows a number of ours"
    ),
}
