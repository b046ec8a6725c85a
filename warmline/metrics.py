"""What operators watch: counted where it happens, read at `/metrics`."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_LATENESS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """One set per process; tests bring a registry of their own."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self._watch_calls()
        self._watch_carrier()
        self._watch_worth()
        self._watch_faults()

    def _watch_calls(self) -> None:
        self.news_folded = self._counter(
            "warmline_news_folded", "News of the carrier that became part of a call"
        )
        self.live_calls = Gauge(
            "warmline_live_calls",
            "Calls that have not ended, at the last look",
            registry=self.registry,
        )
        self.verdicts = self._counter(
            "warmline_verdicts", "First verdicts; `indeterminate` means somebody must look", "kind"
        )
        self.timer_lateness = self._lateness(
            "warmline_timer_lateness_seconds", "How long after it was due a timer fired"
        )

    def _watch_carrier(self) -> None:
        self.carrier_orders = self._counter(
            "warmline_carrier_orders",
            "Orders to the carrier, by how they ended",
            *("order", "outcome"),
        )
        self.order_lateness = self._lateness(
            "warmline_carrier_order_seconds", "From the decision to the carrier's answer"
        )
        self.legs_corrected = self._counter(
            "warmline_legs_corrected",
            "Differences found between our legs and the carrier's",
            "what",
        )

    def _watch_worth(self) -> None:
        self.voucher_code_misses = self._counter(
            "warmline_voucher_code_misses",
            "Codes that were none: slip, guess, or locked out; many guesses are an attack",
            "miss",
        )
        self.claims_opened = self._counter(
            "warmline_claims_opened", "Claims that a caller filed or a bad rating opened"
        )
        self.claim_decisions = self._counter(
            "warmline_claim_decisions",
            "Decisions about claims and appeals",
            *("stage", "decision"),
        )
        self.claim_alarms = self._counter(
            "warmline_claim_alarms",
            "Claims and appeals that are nearly late (escalated), or late (breached)",
            *("stage", "alarm"),
        )

    def _watch_faults(self) -> None:
        """Each one needs a look."""
        self.news_faults = self._counter(
            "warmline_news_faults",
            "News that could not be folded: each one needs a look",
        )
        self.lapse_faults = self._counter(
            "warmline_lapse_faults",
            "Orders and vouchers that could not be brought to rest: each one needs a look",
        )
        self.seating_faults = self._counter(
            "warmline_seating_faults",
            "Calls at the head of a queue that could not be seated: each one needs a look",
        )

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, registry=self.registry)

    def _lateness(self, name: str, about: str) -> Histogram:
        return Histogram(name, about, buckets=_LATENESS_BUCKETS, registry=self.registry)
