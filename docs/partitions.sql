-- Splits the two large tables of an existing PostgreSQL database by time: what was before a moment stays where it is,
-- as the first partition. Stop every server first. :bound is the moment as a decision id, in quotes:
--   python -c "from datetime import *; from server.ids import *; print(earliest_id(datetime(2027, 1, 1, tzinfo=UTC)))"
--   psql -v bound="'0phvdkhk4000'" -f partitions.sql elige
BEGIN;
ALTER TABLE choices DROP CONSTRAINT choices_decision_id_fkey;
ALTER TABLE rewards DROP CONSTRAINT rewards_decision_id_fkey;
ALTER TABLE decisions RENAME TO decisions_before;
ALTER TABLE choices RENAME TO choices_before;
ALTER INDEX decisions_by_time RENAME TO decisions_before_by_time;
ALTER INDEX decisions_by_person RENAME TO decisions_before_by_person;
CREATE TABLE decisions (LIKE decisions_before INCLUDING ALL) PARTITION BY RANGE (decision_id);
CREATE TABLE choices (LIKE choices_before INCLUDING ALL) PARTITION BY RANGE (decision_id);
ALTER INDEX decisions_campaign_at_idx RENAME TO decisions_by_time;
ALTER INDEX decisions_person_activated_at_idx RENAME TO decisions_by_person;
ALTER TABLE decisions ATTACH PARTITION decisions_before FOR VALUES FROM (MINVALUE) TO (:bound);
ALTER TABLE choices ATTACH PARTITION choices_before FOR VALUES FROM (MINVALUE) TO (:bound);
-- the next ones are made like these two, before their time comes: FROM (:bound) TO (the bound after)
CREATE TABLE decisions_after PARTITION OF decisions FOR VALUES FROM (:bound) TO (MAXVALUE);
CREATE TABLE choices_after PARTITION OF choices FOR VALUES FROM (:bound) TO (MAXVALUE);
ALTER TABLE decisions ADD CONSTRAINT decisions_campaign_version_fkey
    FOREIGN KEY (campaign, version) REFERENCES campaigns (campaign, version);
ALTER TABLE choices ADD CONSTRAINT choices_decision_id_fkey
    FOREIGN KEY (decision_id) REFERENCES decisions (decision_id);
ALTER TABLE rewards ADD CONSTRAINT rewards_decision_id_fkey
    FOREIGN KEY (decision_id) REFERENCES decisions (decision_id);
COMMIT;
