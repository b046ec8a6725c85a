"""What the document says in its descriptions alone, where its schemas let anything pass.

Found by trying: an unknown event, a bogus beep, a negative limit, or a call that nothing tells
what to do all satisfy the schemas.
"""

from collections.abc import Callable, Mapping

Params = Mapping[str, list[str]]

CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
CONFERENCE_EVENTS = frozenset(
    {"start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"}
)
BEEPS = frozenset({"true", "false", "onEnter", "onExit"})
MOST_TWIML = 4000

_WORDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("CreateCall", "StatusCallbackEvent"): CALL_EVENTS,
    ("CreateParticipant", "StatusCallbackEvent"): CALL_EVENTS,
    ("CreateParticipant", "ConferenceStatusCallbackEvent"): CONFERENCE_EVENTS,
    ("CreateParticipant", "Beep"): BEEPS,
    ("CreateCall", "MachineDetection"): frozenset({"Enable", "DetectMessageEnd"}),
    ("CreateParticipant", "MachineDetection"): frozenset({"Enable", "DetectMessageEnd"}),
    ("CreateCall", "AsyncAmd"): frozenset({"true", "false"}),
    ("CreateVerification", "Channel"): frozenset({"sms", "call", "email", "whatsapp", "sna"}),
}
_BOUNDS = {"Timeout": (1, 600), "TimeLimit": (1, 86400), "ValidityPeriod": (1, 36000)}


def prose_faults(operation: str, params: Params) -> list[str]:
    """What is wrong with the parameters by the descriptions of the operation."""
    faults = []
    for name, texts in params.items():
        words = _WORDS.get((operation, name))
        if words is not None:
            faults += [f"{name}: {text!r} is not known" for text in texts if text not in words]
        if name in _BOUNDS and operation != "FetchCall":
            faults += _bound_faults(name, texts[0])
    judge = _JUDGES.get(operation)
    return faults + (judge(params) if judge is not None else [])


def _bound_faults(name: str, text: str) -> list[str]:
    least, most = _BOUNDS[name]
    if text.lstrip("-").isdigit() and not least <= int(text) <= most:
        return [f"{name}: {text} is not within {least} to {most}"]
    return []


def _of_create_call(params: Params) -> list[str]:
    given = [name for name in ("Url", "Twiml", "ApplicationSid") if name in params]
    if not given:
        return ["one of Url, Twiml and ApplicationSid is required"]
    if len(given) > 1:
        return [f"{' and '.join(given)}: all but the first are ignored"]
    return _twiml_faults(params)


def _of_update_call(params: Params) -> list[str]:
    if not params:
        return ["nothing to update"]
    if {"Url", "Twiml"} <= params.keys():
        return ["Url and Twiml: the second is ignored"]
    if "Status" in params and params.keys() & {"Url", "Twiml"}:
        return ["Status with Url or Twiml: which one counts is not documented"]
    return _twiml_faults(params)


def _twiml_faults(params: Params) -> list[str]:
    if any(len(text) > MOST_TWIML for text in params.get("Twiml", ())):
        return [f"Twiml: more than {MOST_TWIML} characters"]
    return []


def _of_create_message(params: Params) -> list[str]:
    faults = []
    if not params.keys() & {"From", "MessagingServiceSid"}:
        faults.append("one of From and MessagingServiceSid is required")
    if not params.keys() & {"Body", "MediaUrl", "ContentSid"}:
        faults.append("one of Body, MediaUrl and ContentSid is required")
    if any(len(text) > 1600 for text in params.get("Body", ())):
        faults.append("Body: more than 1600 characters")
    return faults


def _of_verification_check(params: Params) -> list[str]:
    if len(params.keys() & {"To", "VerificationSid"}) != 1:
        return ["one of To and VerificationSid is required"]
    return []


_JUDGES: Mapping[str, Callable[[Params], list[str]]] = {
    "CreateCall": _of_create_call,
    "UpdateCall": _of_update_call,
    "CreateMessage": _of_create_message,
    "CreateVerificationCheck": _of_verification_check,
}
