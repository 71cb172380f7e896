-- Cases that are worked on, the audit, and what stays of those who were erased.

-- `erasures` counts them, of all brands: a server sees by it that a command erased somebody.
ALTER TABLE meta ADD COLUMN erasures INTEGER NOT NULL DEFAULT 0;
-- Tells the key that marks are made with from any other, and nothing about it.
ALTER TABLE meta ADD COLUMN mark_check BLOB;

-- One row for each rights request, unsubscribe link, guardian's question …; replaced whole. Lists go by due_at and id.
CREATE TABLE document (
    key         INTEGER PRIMARY KEY,
    brand_id    TEXT NOT NULL,
    kind        TEXT NOT NULL,
    document_id TEXT NOT NULL,
    consumer_id TEXT,
    state       TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    expires_at  INTEGER,
    body        BLOB NOT NULL,
    UNIQUE (brand_id, kind, document_id)
) STRICT;

CREATE INDEX document_due ON document (brand_id, kind, due_at, document_id);
CREATE INDEX document_of_consumer ON document (brand_id, consumer_id) WHERE consumer_id IS NOT NULL;
CREATE INDEX document_expiry ON document (expires_at) WHERE expires_at IS NOT NULL;

-- Keyed digests that documents are found by, of an address or a phone number; the key is not in the database. `place`
-- keeps their order.
CREATE TABLE document_mark (
    brand_id     TEXT NOT NULL,
    mark         BLOB NOT NULL,
    document_key INTEGER NOT NULL REFERENCES document (key),
    place        INTEGER NOT NULL,
    PRIMARY KEY (brand_id, mark, document_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX document_mark_of ON document_mark (document_key);

-- Never updated. `recorded_at` is the brand's own time made unique, so that pages go on from it.
CREATE TABLE audit (
    brand_id    TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    body        BLOB NOT NULL,
    PRIMARY KEY (brand_id, recorded_at)
) STRICT, WITHOUT ROWID;

-- All that stays of an erased consumer: a keyed digest of the id, the last version, the time, and in `body` keyed
-- digests of refusals that go on.
CREATE TABLE tombstone (
    brand_id  TEXT NOT NULL,
    mark      BLOB NOT NULL,
    version   INTEGER NOT NULL,
    erased_at INTEGER NOT NULL,
    body      BLOB NOT NULL,
    PRIMARY KEY (brand_id, mark)
) STRICT, WITHOUT ROWID;

CREATE INDEX tombstone_time ON tombstone (brand_id, erased_at);
