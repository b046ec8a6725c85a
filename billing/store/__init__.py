"""All SQL of the billing room. The connection, and the transaction on it, are the caller's.

Locks are taken order first, then voucher or quota. What the core changed is written by one
statement each.
"""

from billing.store.lapsing import (
    forget_fault,
    lock_due_order,
    lock_due_voucher,
    next_due_at,
    put_off,
)
from billing.store.ledger import entries_of
from billing.store.orders import (
    OrderMoved,
    insert_order,
    list_orders,
    live_orders,
    load_order,
    lock_order_with_payment,
    save_order,
    save_settlement,
)
from billing.store.program_texts import keep_program_text, load_program_text
from billing.store.quotas import QuotaMoved, load_quota, lock_quota, save_quota
from billing.store.reviews import opening_review, withdrawing_review
from billing.store.vouchers import (
    VoucherMoved,
    insert_vouchers,
    list_vouchers,
    load_voucher,
    lock_voucher,
    lock_voucher_by_code,
    save_voucher,
)

__all__ = [
    "OrderMoved",
    "QuotaMoved",
    "VoucherMoved",
    "entries_of",
    "forget_fault",
    "insert_order",
    "insert_vouchers",
    "keep_program_text",
    "list_orders",
    "list_vouchers",
    "live_orders",
    "load_order",
    "load_program_text",
    "load_quota",
    "load_voucher",
    "lock_due_order",
    "lock_due_voucher",
    "lock_order_with_payment",
    "lock_quota",
    "lock_voucher",
    "lock_voucher_by_code",
    "next_due_at",
    "opening_review",
    "put_off",
    "save_order",
    "save_quota",
    "save_settlement",
    "save_voucher",
    "withdrawing_review",
]
