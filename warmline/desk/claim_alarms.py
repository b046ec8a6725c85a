"""What a claim's clock says, and who hears it: supervisors, by live feed, metrics and log."""

import structlog

import billing.claim as claims
from billing.claim import Alarm, Claim
from billing.store.claims import lock_alarming_claim, read_saved_claim, saving_claim
from warmline.desk.shell import Shell
from warmline.desk.store import Line, adding_lines, carry_out
from warmline.desk.timeline import STAFF
from warmline.desk.writing import Committed

_log = structlog.get_logger()


async def sound_next_alarm(desk: Shell) -> bool:
    """Tell of one claim that runs out of time, or has; False when there is none (B19).

    Its row is locked and others skip it, so that several processes tell each alarm once.
    """
    now = desk.clock.now()
    async with desk.pool.acquire() as connection, connection.transaction():
        found = await lock_alarming_claim(connection, now)
        if found is None:
            return False
        tenant, claim = found
        rung, alarm = claims.ring(claim, now)
        assert alarm is not None
        line = Line(
            kind=f"claim.{alarm}",
            role=None,
            data={"claim": claim.id, "due_at": claim.due_at.isoformat()},
            visible=(STAFF,),
        )
        adding = adding_lines(tenant, claim.order, claim.call, [line], now)
        row = await carry_out(connection, [saving_claim(tenant, rung), adding])
        read_saved_claim(row, rung)
    _count(desk, claim, alarm)
    desk.tell(Committed(tenant=tenant, order=claim.order, said=True))
    return True


def _count(desk: Shell, claim: Claim, alarm: Alarm) -> None:
    stage = "claim" if claim.appealed_at is None else "appeal"
    desk.metrics.claim_alarms.labels(stage, alarm).inc()
    say = _log.warning if alarm is Alarm.ESCALATED else _log.error
    say(f"claim_{alarm}", claim=claim.id, stage=stage, due_at=claim.due_at.isoformat())
