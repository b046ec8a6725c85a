-- An order may be for an appointed time (B07, B08, X23).
ALTER TABLE orders
    ADD COLUMN starts_at timestamptz,
    ADD COLUMN cancel_free_until timestamptz,
    ADD COLUMN let_down_at timestamptz,
    ADD CHECK ((starts_at IS NULL) = (cancel_free_until IS NULL));
COMMENT ON COLUMN orders.cancel_free_until IS 'The last instant at which giving it up is free.';
COMMENT ON COLUMN orders.let_down_at IS
    'Since when the counselor or the house, not the caller, is the cause that nobody talked.';
