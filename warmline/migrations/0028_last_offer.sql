-- What became of the last call that rang a counselor: read at every look of a console, so it is kept
-- where the counselor is read anyway.
ALTER TABLE counselors ADD COLUMN offered_call text;
COMMENT ON COLUMN counselors.offered_call IS 'The call that claimed them last, for showing.';
