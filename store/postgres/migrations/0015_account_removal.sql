-- What an account wrote and decided, to take its number off when it is deleted;
-- reports by age.
CREATE INDEX revision_of_author ON revision (author_id) WHERE author_id > 0;
CREATE INDEX decision_of_account ON decision (account_id) WHERE account_id > 0;
CREATE INDEX report_received ON report (received_at);
