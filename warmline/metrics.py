"""What operators watch: counted where it happens, read at `/metrics`."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

_LATENESS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """One set per process; tests bring a registry of their own."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.registry = registry
        self.news_folded = Counter(
            "warmline_news_folded",
            "News of the carrier that became part of a call",
            registry=registry,
        )
        self.news_faults = Counter(
            "warmline_news_faults",
            "News that could not be folded: each one needs a look",
            registry=registry,
        )
        self.lapse_faults = Counter(
            "warmline_lapse_faults",
            "Orders and vouchers that could not be brought to rest: each one needs a look",
            registry=registry,
        )
        self.seating_faults = Counter(
            "warmline_seating_faults",
            "Calls at the head of a queue that could not be seated: each one needs a look",
            registry=registry,
        )
        self.carrier_orders = Counter(
            "warmline_carrier_orders",
            "Orders to the carrier, by how they ended",
            ("order", "outcome"),
            registry=registry,
        )
        self.order_lateness = Histogram(
            "warmline_carrier_order_seconds",
            "From the decision to the carrier's answer",
            buckets=_LATENESS_BUCKETS,
            registry=registry,
        )
        self.timer_lateness = Histogram(
            "warmline_timer_lateness_seconds",
            "How long after it was due a timer fired",
            buckets=_LATENESS_BUCKETS,
            registry=registry,
        )
        self.legs_corrected = Counter(
            "warmline_legs_corrected",
            "Differences found between our legs and the carrier's",
            ("what",),
            registry=registry,
        )
        self.live_calls = Gauge(
            "warmline_live_calls", "Calls that have not ended, at the last look", registry=registry
        )
        self.verdicts = Counter(
            "warmline_verdicts",
            "First verdicts; `indeterminate` means somebody must look",
            ("kind",),
            registry=registry,
        )
        self.voucher_code_misses = Counter(
            "warmline_voucher_code_misses",
            "Codes that were none: slip, guess, or locked out; many guesses are an attack",
            ("miss",),
            registry=registry,
        )
        self.claims_opened = Counter(
            "warmline_claims_opened",
            "Claims that a caller filed or a bad rating opened",
            registry=registry,
        )
        self.claim_decisions = Counter(
            "warmline_claim_decisions",
            "Decisions about claims and appeals",
            ("stage", "decision"),
            registry=registry,
        )
        self.claim_alarms = Counter(
            "warmline_claim_alarms",
            "Claims and appeals that are nearly late (escalated), or late (breached)",
            ("stage", "alarm"),
            registry=registry,
        )
