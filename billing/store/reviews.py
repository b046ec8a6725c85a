"""The desk's own claims, for calls it cannot settle: written in the statement that settles."""

from billing.claim import of_review
from billing.order import Review
from terms.change import Change
from terms.ids import CallId, TenantId


def opening_review(tenant: TenantId, review: Review) -> Change:
    """Have somebody look at the call. An open claim about it is joined; one that a better verdict
    had withdrawn is opened again; what somebody decided stays decided.
    """
    claim = of_review(review)
    opened = """
        review_joined AS (
            UPDATE claims SET review = $5, version = version + 1
            WHERE tenant = $1 AND call = $4 AND state = 'open'
        ), review_again AS (
            UPDATE claims SET state = 'open', review = $5, due_at = $7, escalate_at = $8,
                escalated_at = NULL, breached_at = NULL, alarm_at = $9, version = version + 1
            WHERE tenant = $1 AND call = $4 AND state = 'withdrawn' AND NOT EXISTS (
                SELECT FROM claims AS other
                WHERE other.tenant = $1 AND other.call = $4 AND other.state <> 'withdrawn'
            )
        ), review_opened AS (
            INSERT INTO claims (tenant, id, order_id, call, review, opened_at, due_at, escalate_at,
                alarm_at, state, low_rating, version)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', false, 0
            WHERE NOT EXISTS (SELECT FROM claims WHERE tenant = $1 AND call = $4)
        )"""
    arguments = (
        *(tenant, claim.id, claim.order, claim.call, claim.review, claim.opened_at),
        *(claim.due_at, claim.escalate_at, claim.alarm_at),
    )
    return Change(opened, "true AS review_opened", arguments)


def withdrawing_review(tenant: TenantId, call: CallId) -> Change:
    """A better verdict left nothing to look at, unless somebody asks besides."""
    withdrawn = """
        review_left AS (
            UPDATE claims SET review = NULL, version = version + 1
            WHERE tenant = $1 AND call = $2 AND state = 'open' AND review IS NOT NULL
                AND (filed_at IS NOT NULL OR low_rating)
        ), review_withdrawn AS (
            UPDATE claims SET state = 'withdrawn', alarm_at = NULL, version = version + 1
            WHERE tenant = $1 AND call = $2 AND state = 'open'
                AND filed_at IS NULL AND NOT low_rating
        )"""
    return Change(withdrawn, "true AS review_withdrawn", (tenant, call))
