-- The control tables of the lake: which snapshot is where, what it has uploaded, who may write, who is reading.
--
-- Locks: none that anybody can notice; every statement creates something new.
-- Why that is fine: nothing refers to these tables yet.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

CREATE TYPE lake_snapshot_state AS ENUM (
  'requested', 'planning', 'uploading', 'prepared', 'committing', 'committed', 'published', 'retiring', 'retired',
  'failed');

-- One run of the snapshot. `running` is computed and NULL when the run is over: its unique constraint lets one run at a time.
CREATE TABLE lake_snapshots (
  id text CONSTRAINT lake_snapshots_pkey PRIMARY KEY
    CONSTRAINT lake_snapshots_id_valid CHECK (id ~ '^[A-Za-z0-9._-]{1,128}$'),
  sequence bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT lake_snapshots_sequence_key UNIQUE,
  state lake_snapshot_state NOT NULL DEFAULT 'requested',
  running boolean GENERATED ALWAYS AS (
    CASE WHEN state IN ('requested', 'planning', 'uploading', 'prepared', 'committing', 'committed') THEN true END
  ) STORED CONSTRAINT lake_snapshots_one_running UNIQUE,
  fence bigint,
  owner text,
  requested_by text NOT NULL,
  requested_at timestamptz(3) NOT NULL DEFAULT now(),
  started_at timestamptz(3),
  prepared_at timestamptz(3),
  committed_at timestamptz(3),
  published_at timestamptz(3),
  retiring_at timestamptz(3),
  ended_at timestamptz(3),
  source jsonb,
  manifest text, -- canonical JSON, byte for byte what is stored in S3
  manifest_sha256 text CONSTRAINT lake_snapshots_manifest_sha256_valid CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
  total_rows bigint CONSTRAINT lake_snapshots_total_rows_valid CHECK (total_rows >= 0),
  total_bytes bigint CONSTRAINT lake_snapshots_total_bytes_valid CHECK (total_bytes >= 0),
  problem jsonb,
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT lake_snapshots_manifest_with_sha256 CHECK ((manifest IS NULL) = (manifest_sha256 IS NULL)),
  -- From `prepared` on the manifest is what recovery finishes the commit with.
  CONSTRAINT lake_snapshots_prepared_needs_manifest
    CHECK (state NOT IN ('prepared', 'committing', 'committed', 'published') OR manifest IS NOT NULL),
  CONSTRAINT lake_snapshots_failed_needs_problem CHECK (state <> 'failed' OR problem IS NOT NULL)
);
CREATE INDEX lake_snapshots_state ON lake_snapshots (state, sequence);

CREATE TABLE lake_snapshot_tables (
  snapshot_id text NOT NULL
    CONSTRAINT lake_snapshot_tables_snapshot_id_fkey REFERENCES lake_snapshots (id) ON DELETE RESTRICT,
  table_name text NOT NULL,
  state text NOT NULL DEFAULT 'pending'
    CONSTRAINT lake_snapshot_tables_state_valid CHECK (state ~ '^[a-z_]{1,32}$'),
  rows_copied bigint CONSTRAINT lake_snapshot_tables_rows_copied_valid CHECK (rows_copied >= 0),
  rows_encoded bigint CONSTRAINT lake_snapshot_tables_rows_encoded_valid CHECK (rows_encoded >= 0),
  bytes bigint CONSTRAINT lake_snapshot_tables_bytes_valid CHECK (bytes >= 0),
  files integer CONSTRAINT lake_snapshot_tables_files_valid CHECK (files >= 0),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT lake_snapshot_tables_pkey PRIMARY KEY (snapshot_id, table_name)
);

-- Written before the first byte goes out, so that recovery can finish or abort every upload that may exist.
CREATE TABLE lake_uploads (
  key text CONSTRAINT lake_uploads_pkey PRIMARY KEY,
  snapshot_id text NOT NULL
    CONSTRAINT lake_uploads_snapshot_id_fkey REFERENCES lake_snapshots (id) ON DELETE RESTRICT,
  table_name text NOT NULL,
  upload_id text NOT NULL,
  state text NOT NULL DEFAULT 'open'
    CONSTRAINT lake_uploads_state_valid CHECK (state IN ('open', 'uploaded', 'completed', 'aborted')),
  parts jsonb,
  bytes bigint CONSTRAINT lake_uploads_bytes_valid CHECK (bytes >= 0),
  rows bigint CONSTRAINT lake_uploads_rows_valid CHECK (rows >= 0),
  crc32 text,
  sha256 text,
  footer jsonb,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);
CREATE INDEX lake_uploads_snapshot ON lake_uploads (snapshot_id, table_name);

-- Exactly one row. Whoever takes the lease raises the fence, and every later write carries it.
CREATE TABLE lake_lease (
  id smallint DEFAULT 1 CONSTRAINT lake_lease_pkey PRIMARY KEY CONSTRAINT lake_lease_one_row CHECK (id = 1),
  owner text,
  fence bigint NOT NULL DEFAULT 0,
  expires_at timestamptz(3) NOT NULL,
  host text,
  process_id integer,
  process_started_at text
);
INSERT INTO lake_lease (expires_at) VALUES (TIMESTAMPTZ '1970-01-01 00:00:00+00');

CREATE TABLE lake_holds (
  id uuid CONSTRAINT lake_holds_pkey PRIMARY KEY,
  snapshot_id text NOT NULL
    CONSTRAINT lake_holds_snapshot_id_fkey REFERENCES lake_snapshots (id) ON DELETE RESTRICT,
  holder text NOT NULL CONSTRAINT lake_holds_holder_valid CHECK (char_length(holder) BETWEEN 1 AND 200),
  reason text NOT NULL CONSTRAINT lake_holds_reason_valid CHECK (char_length(reason) BETWEEN 1 AND 500),
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  CONSTRAINT lake_holds_expires_after_created CHECK (expires_at > created_at)
);
CREATE INDEX lake_holds_snapshot ON lake_holds (snapshot_id, expires_at);

CREATE FUNCTION touch_lake_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER touch BEFORE UPDATE ON lake_snapshots FOR EACH ROW EXECUTE FUNCTION touch_lake_row();
CREATE TRIGGER touch BEFORE UPDATE ON lake_snapshot_tables FOR EACH ROW EXECUTE FUNCTION touch_lake_row();
CREATE TRIGGER touch BEFORE UPDATE ON lake_uploads FOR EACH ROW EXECUTE FUNCTION touch_lake_row();
