-- The lines that a month's settlement is summed from are vouched for by the order's own book.

-- Each names the entry that carries its digest. Those there are get one of 0 seconds, at the end of
-- their order's book.
DROP TRIGGER call_grades_append_only ON call_grades;
ALTER TABLE call_grades ADD COLUMN entry integer;

UPDATE call_grades AS line SET entry = numbered.entry
FROM (
    SELECT graded.tenant, seq, coalesce(head_number, 0)
        + row_number() OVER (PARTITION BY graded.tenant, order_id ORDER BY seq) AS entry
    FROM call_grades AS graded
    LEFT JOIN orders ON orders.tenant = graded.tenant AND orders.id = graded.order_id
) AS numbered
WHERE line.tenant = numbered.tenant AND line.seq = numbered.seq;

-- An entry of 0 units moves nothing; it never comes before the one it follows.
DO $$
DECLARE
    line record; last ledger_entries; its_tenant text := ''; its_book text := ''; facts bytea;
BEGIN
    FOR line IN
        SELECT graded.*, 'talk/' || graded.order_id AS book, orders.head_hash, (
                SELECT max(at) FROM ledger_entries AS earlier WHERE earlier.tenant = graded.tenant
                    AND earlier.book = ('talk/' || graded.order_id) COLLATE "C") AS last_at
        FROM call_grades AS graded
        JOIN orders ON orders.tenant = graded.tenant AND orders.id = graded.order_id
        ORDER BY graded.tenant, graded.order_id, graded.entry
    LOOP
        IF (line.tenant, line.book) IS DISTINCT FROM (its_tenant, its_book) THEN
            its_tenant := line.tenant;
            its_book := line.book;
            last.hash := line.head_hash;
            last.at := line.last_at;
        END IF;
        facts := ledger_facts(
            ARRAY['call', 'program', 'counselor', 'ended_at', 'from_grade', 'to_grade',
                  'talked_seconds', 'at'],
            ARRAY[line.call, line.program, line.counselor, ledger_microseconds(line.ended_at),
                  line.from_grade, line.to_grade, line.talked_seconds::text,
                  ledger_microseconds(line.at)]);
        last.at := greatest(last.at, line.at);
        last.hash := ledger_hash(last.hash, line.book, line.entry, 'remaining', 'remaining', 0,
                                 'graded', line.order_id, NULL, true, last.at, facts);
        INSERT INTO ledger_entries
        VALUES (line.tenant, line.book, line.entry, 'remaining', 'remaining', 0, 'graded',
                line.order_id, NULL, true, last.at, facts, last.hash);
        UPDATE orders SET head_number = line.entry, head_hash = last.hash
        WHERE tenant = line.tenant AND id = line.order_id;
    END LOOP;
END $$;

-- A line's place is its entry; a month is a stretch of them by time.
DROP INDEX call_grades_of_order, call_grades_by_time;
ALTER TABLE call_grades DROP COLUMN seq, ALTER COLUMN entry SET NOT NULL, ADD CHECK (entry > 0),
    ADD PRIMARY KEY (tenant, order_id, entry);
CREATE INDEX call_grades_in_time ON call_grades (tenant, at);

CREATE TRIGGER call_grades_append_only BEFORE UPDATE OR DELETE ON call_grades
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER call_grades_never_empty BEFORE TRUNCATE ON call_grades
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
