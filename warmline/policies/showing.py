"""A comparison as it is shown to whoever imports: people's data masked, every bad line named."""

from typing import Any

from warmline.policies.importing import Comparison


def report(found: Comparison, applied: bool) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "applied": applied,
        "lines": found.rows,
        "new": len(found.added),
        "changed": len(found.changed),
        "unchanged": found.unchanged,
        "rejected": len(found.rejected),
        "new_policies": [{"sponsor": one.sponsor, "number": one.number} for one in found.added],
        "changed_policies": [
            {
                "sponsor": one.policy.sponsor,
                "number": one.policy.number,
                "changes": [
                    {"field": change.field, "before": change.before, "after": change.after}
                    for change in one.changes
                ],
            }
            for one in found.changed
        ],
        "rejected_lines": [
            {"line": row.line, "number": row.number, "reasons": list(row.reasons)}
            for row in found.rejected
        ],
    }
