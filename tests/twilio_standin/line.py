"""TwiML at work on one call: fetch a document, obey verb after verb, fetch the next."""

from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

from tests.twilio_standin.calls import Address, Call, Question, Turn, call_params
from tests.twilio_standin.hooks import Answer, Post
from tests.twilio_standin.phones import Outcome
from tests.twilio_standin.verbs import Element, read

if TYPE_CHECKING:
    from tests.twilio_standin.clock import Action
    from tests.twilio_standin.exchange import Exchange

_XML = frozenset({"text/xml", "application/xml", "application/twiml+xml"})
_HUNG_UP = Outcome(status="completed", sip=200)
_BROKEN = Outcome(status="completed", sip=200)
_FETCH_FAILED = "11200"
_KEYS = frozenset("0123456789*#")
_PRESS_AFTER_SECONDS = 1.0
_GATHER_SECONDS = 5


class Line:
    """Obeys TwiML on every call of an exchange."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    # -- documents ---------------------------------------------------------------------------

    def fetch(
        self,
        call: Call,
        address: Address,
        fallback: Address | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        """Ask for a document; meanwhile nothing else happens on the call."""
        waiting = call.turn = Turn(verbs=deque(), base=address.url)
        call.question = None
        params = {**call_params(call, self._exchange.account.sid), **(more or {})}

        def received(answer: Answer | None) -> None:
            if call.turn is not waiting or not call.is_live:
                return  # something else took the call meanwhile
            if answer is not None and answer.status == 200 and answer.content_type in _XML:
                self.begin(call, answer.text, base=address.url)
            elif fallback is not None:
                told = {**(more or {}), "ErrorCode": _FETCH_FAILED, "ErrorUrl": address.url}
                self.fetch(call, fallback, None, told)
            else:
                self._exchange.mouth.faults.append(
                    f"{address.url} gave no TwiML: the caller hears an error"
                )
                self._exchange.finish(call, _BROKEN)

        self._exchange.mouth.ask(
            Post(
                url=address.url,
                method=address.method,
                params=params,
                stream="",
                what="twiml",
                then=received,
            )
        )

    def begin(self, call: Call, text: str, *, base: str) -> None:
        """Obey a document from its first verb."""
        document = read(text)
        if document.faults:
            self._exchange.mouth.faults += [f"{base}: {fault}" for fault in document.faults]
            self._exchange.finish(call, _BROKEN)
            return
        call.turn = Turn(verbs=deque(document.verbs), base=urldefrag(base).url)
        self._next(call, call.turn)

    def _next(self, call: Call, turn: Turn) -> None:
        if call.turn is not turn or not call.is_live:
            return
        if not turn.verbs:
            self._exchange.finish(call, _HUNG_UP)
            return
        verb, first = turn.verbs.popleft(), turn.first
        turn.first = False
        if verb.tag == "Reject" and first and call.answered_at is None:
            busy = verb.get("reason") == "busy"
            outcome = Outcome(status="busy" if busy else "no-answer", sip=486 if busy else 603)
            self._exchange.finish(call, outcome)
            return
        # Documented: a Pause that comes first delays the answer. What follows it does not, unless
        # it only asks for the next document.
        if call.answered_at is None and verb.tag not in ("Pause", "Redirect"):
            self._exchange.answered(call)
        self._obey(call, turn, verb)

    def _obey(self, call: Call, turn: Turn, verb: Element) -> None:
        match verb.tag:
            case "Say" | "Play" | "Pause":
                seconds = self.hear(call, verb)
                if seconds is not None:
                    self._after(call, seconds, lambda: self._next(call, turn))
            case "Gather":
                self._gather(call, turn, verb)
            case "Dial":
                self._exchange.conferencing.join(call, turn, verb)
            case "Redirect":
                self.fetch(call, self._address(turn, (verb.text or "").strip(), verb.get("method")))
            case "Hangup" | "Reject":
                self._exchange.finish(call, _HUNG_UP)

    def hear(self, call: Call, verb: Element) -> float | None:
        """Say, play or be silent to the phone; gives how long. None: for ever."""
        if verb.tag == "Pause":
            return float(verb.get("length", "1"))
        phone = self._exchange.phones[self._exchange.far_end(call)]
        phone.heard.append((verb.text or "").strip())
        loops = int(verb.get("loop", "1"))
        return None if loops == 0 else loops * self._exchange.knobs.prompt_seconds

    def go_on(self, call: Call, turn: Turn) -> None:
        """Obey the verb after the one that has just ended."""
        self._after(call, 0, lambda: self._next(call, turn))

    def act(self, call: Call, turn: Turn, verb: Element, more: dict[str, str]) -> bool:
        """Ask for the verb's `action`, if it has one; its document takes the place of this one."""
        action = verb.get("action")
        if action is None:
            return False
        self.fetch(call, self._address(turn, action, verb.get("method")), None, more)
        return True

    # -- keys --------------------------------------------------------------------------------

    def _gather(self, call: Call, turn: Turn, verb: Element) -> None:
        question = call.question = Question(turn=turn, element=verb)
        self._ask_on(call, question, deque(verb))
        phone = self._exchange.phones[self._exchange.far_end(call)]
        if phone.script.presses and not call.has_pressed:
            self._after(call, _PRESS_AFTER_SECONDS, lambda: self._answer(call, question))

    def _answer(self, call: Call, question: Question) -> None:
        """Somebody presses while the question is open; cut short, it is the next that counts."""
        if call.question is question and not call.has_pressed:
            call.has_pressed = True
            self.press(call, self._exchange.phones[self._exchange.far_end(call)].script.presses)

    def _ask_on(self, call: Call, question: Question, prompts: "deque[Element]") -> None:
        """Say what is left of the question, then wait for a key."""
        if call.question is not question or question.digits:
            return
        if not prompts:
            self._wait_for_key(call, question)
            return
        seconds = self.hear(call, prompts.popleft())
        if seconds is not None:
            self._after(call, seconds, lambda: self._ask_on(call, question, prompts))

    def _wait_for_key(self, call: Call, question: Question) -> None:
        if question.timer is not None:
            question.timer.cancel()
        seconds = float(question.element.get("timeout", str(_GATHER_SECONDS)))
        question.timer = self._exchange.clock.after(
            seconds, lambda: self._gathered(call, question, "")
        )
        call.timers.append(question.timer)

    def press(self, call: Call, keys: str) -> None:
        """Keys on the phone: heard by an open question, else by nobody."""
        for key in keys:
            assert key in _KEYS
            question = call.question
            if question is None:
                phone = self._exchange.phones[self._exchange.far_end(call)]
                phone.unheard_keys += key
                continue
            finish = question.element.get("finishOnKey", "#")
            if key == finish:
                self._gathered(call, question, key)
                continue
            question.digits += key
            most = question.element.get("numDigits")
            if most is not None and len(question.digits) == int(most):
                self._gathered(call, question, "")
            else:
                self._wait_for_key(call, question)

    def _gathered(self, call: Call, question: Question, finished_on: str) -> None:
        if call.question is not question:
            return
        call.question = None
        if question.timer is not None:
            question.timer.cancel()
        verb, turn = question.element, question.turn
        if not question.digits and verb.get("actionOnEmptyResult") != "true":
            self._next(call, turn)
            return
        more = {"Digits": question.digits, "FinishedOnKey": finished_on}
        address = self._address(turn, verb.get("action", turn.base), verb.get("method"))
        self.fetch(call, address, None, more)

    # -- parts -------------------------------------------------------------------------------

    def _address(self, turn: Turn, url: str, method: str | None) -> Address:
        return Address(url=urljoin(turn.base, url), method=method or "POST")

    def _after(self, call: Call, seconds: float, action: "Action") -> None:
        call.timers.append(self._exchange.clock.after(seconds, action))
