-- The log of a station, version 1. Applied once to an empty database; later versions add files of
-- their own (migrate.c). Times are ms UTC.

-- One row: who this log is, and how far it got.
CREATE TABLE log (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    INTEGER NOT NULL,
    commits  INTEGER NOT NULL, -- tells whether a transaction whose COMMIT failed is there
    seq_last INTEGER NOT NULL, -- of the newest entry; numbers have no gaps and are never reused
    samples  INTEGER NOT NULL, -- accepted since the log was created
    rows     INTEGER NOT NULL,
    events   INTEGER NOT NULL
);

CREATE TABLE stream (
    number       INTEGER PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    columns      INTEGER NOT NULL,
    period_ms    INTEGER NOT NULL,
    unit_ms      INTEGER NOT NULL,
    layout       INTEGER NOT NULL,
    rows_sealed  INTEGER NOT NULL, -- rows of the stream that are in frames
    segment_next INTEGER NOT NULL, -- never used before
    is_local     INTEGER NOT NULL  -- its frames stay in the station
);

-- Dictionaries (series format, section 9), as announced.
CREATE TABLE layout (
    id   INTEGER PRIMARY KEY,
    json TEXT NOT NULL
);

-- Frames (kind 1) and events (kind 2).
CREATE TABLE entry (
    seq       INTEGER PRIMARY KEY,
    kind      INTEGER NOT NULL,
    stream    INTEGER, -- frames
    segment   INTEGER,
    frame_seq INTEGER,
    t_first   INTEGER NOT NULL, -- earliest and latest row; of an event: when
    t_last    INTEGER NOT NULL,
    samples   INTEGER NOT NULL,
    topic     TEXT,    -- events: their member "kind"
    is_local  INTEGER NOT NULL, -- not for the uplinks
    data      BLOB NOT NULL
);
CREATE INDEX entry_segment ON entry (stream, segment, frame_seq) WHERE kind = 1;
CREATE INDEX entry_time ON entry (stream, t_last, t_first, segment, frame_seq) WHERE kind = 1;
CREATE INDEX entry_event ON entry (kind) WHERE kind = 2; -- by seq
CREATE INDEX entry_topic ON entry (topic, seq) WHERE kind = 2;

-- Rows that are committed and not yet in a frame: what each commit brought (journal.h). A row of a
-- stream whose number is not above rows_sealed is in a frame already.
CREATE TABLE pending (
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

-- Module state that belongs to exactly these rows.
CREATE TABLE state (
    key  TEXT PRIMARY KEY,
    data BLOB NOT NULL
) WITHOUT ROWID;

-- One per uplink: acknowledged up to acked_to, and the ranges above it (pairs of 8 bytes).
CREATE TABLE cursor (
    uplink   TEXT PRIMARY KEY,
    acked_to INTEGER NOT NULL,
    above    BLOB NOT NULL
) WITHOUT ROWID;

-- Entries that a destination refused.
CREATE TABLE set_aside (
    uplink TEXT NOT NULL,
    seq    INTEGER NOT NULL,
    why    TEXT NOT NULL,
    PRIMARY KEY (uplink, seq)
) WITHOUT ROWID;
