-- What measuring under load taught: every piece of news writes these, and nothing reads them.

-- News is found by its id, and by not being folded yet. Its id begins with its leg's name.
DROP INDEX news_of_call;
-- A call's lines are read as a part of its order's.
DROP INDEX timeline_of_call;
