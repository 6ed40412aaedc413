-- The log of a station, version 2: chapters, and how long layouts are needed.

-- Entries are trimmed by whole chapters: every segment that has its key frame in a chapter ends
-- in it. A chapter goes from its `seq` to the next one's. An entry below the oldest chapter is
-- left of one that is being trimmed; an oldest chapter that begins below the oldest entry was cut
-- by force.
CREATE TABLE chapter (
    seq   INTEGER PRIMARY KEY,
    began INTEGER NOT NULL -- station time; 0: nobody knows
);
INSERT INTO chapter SELECT coalesce(min(seq), 1), 0 FROM entry;

-- The newest entry at the time when the layout went out of force; NULL while it is in force.
ALTER TABLE layout ADD COLUMN seq_last INTEGER;
UPDATE layout SET seq_last = (SELECT seq_last FROM log) WHERE id NOT IN (SELECT layout FROM stream);
CREATE INDEX layout_old ON layout (seq_last) WHERE seq_last IS NOT NULL;

-- What is said of an entry goes with it.
CREATE INDEX set_aside_seq ON set_aside (seq);
