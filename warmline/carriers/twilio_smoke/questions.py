"""What Twilio's documents leave open, and how the carrier fares whichever way it is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something nobody can know offline. `borne` says why the carrier works either way."""

    number: int
    text: str
    borne: str


QUESTIONS = (
    Question(
        number=1,
        text="In which order, and how soon, come the events of an end?",
        borne="events are folded in any order; what a later one makes clearer is told again",
    ),
    Question(
        number=2,
        text="Does a changed TimeLimit count from the answer or from the change?",
        borne="it is sent as if from the answer: counted from the change it only ends later",
    ),
    Question(
        number=3,
        text="Does <Dial timeLimit> end a leg in a conference?",
        borne="it is set to Twilio's longest; TimeLimit of the call is the guard",
    ),
    Question(
        number=4,
        text="What do both sides hear while one is told an announcement?",
        borne="announcements are short, and said to each side by itself",
    ),
    Question(
        number=5,
        text="With which SequenceNumber does a conference begin?",
        borne="only their order is used",
    ),
    Question(
        number=6,
        text="Is <Dial action> asked for when the leg itself hung up?",
        borne="its answer is a document like any other",
    ),
    Question(
        number=7,
        text="Is FallbackUrl asked when an action fails?",
        borne="a document that fails ends the call; reconciliation finds it",
    ),
    Question(
        number=8,
        text="Do webhooks carry I-Twilio-Idempotency-Token?",
        borne="it is never needed: repeats are known by what they tell",
    ),
    Question(
        number=9,
        text="How does a phone end whose battery is pulled?",
        borne="nothing is claimed of it: it looks like a hang-up, and docs/twilio.md says so",
    ),
    Question(
        number=10,
        text="With which codes does Twilio refuse our mistakes?",
        borne="a code that is not known is a refusal all the same",
    ),
    Question(
        number=11,
        text="Which ReasonParticipantLeft has each way to end?",
        borne="our own orders and the seconds are believed before it",
    ),
    Question(
        number=12,
        text="What of the caller's number and StirVerstat arrives in this country?",
        borne="a number that is none is withheld; who dials in proves nothing by it",
    ),
    Question(
        number=13,
        text="Do <Pause> and <Redirect> leave a phone that dials in unanswered?",
        borne="answered at once it costs a few seconds; nothing is said before it is taken",
    ),
)
