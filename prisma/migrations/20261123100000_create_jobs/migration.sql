-- Work that outlives its request. The queue itself is pg-boss's, in its schema `pgboss`; what callers read is here, so that a
-- finished job stays readable whatever the queue forgets.
--
-- Locks: none that anybody can notice; every statement creates something new.
-- Why that is fine: nothing refers to these tables yet.
-- Recovery: the file is one transaction. After a failure nothing of it is there; mark the failed row of
--   _prisma_migrations as rolled back and run the migration again.

CREATE TABLE job (
  id                  uuid PRIMARY KEY,
  kind                text NOT NULL,
  resource            text NOT NULL,
  state               text NOT NULL DEFAULT 'queued',
  caller_type         text NOT NULL,
  caller_id           text NOT NULL,
  caller_scopes       text[] NOT NULL,
  request_id          text NOT NULL,
  input               jsonb NOT NULL,
  -- The fence: what an earlier attempt writes does not count.
  attempt             integer NOT NULL DEFAULT 0,
  -- Attempts whose process died.
  interruptions       integer NOT NULL DEFAULT 0,
  progress_done       bigint NOT NULL DEFAULT 0,
  progress_total      bigint,
  error_lines         bigint NOT NULL DEFAULT 0,
  summary             jsonb,
  problem             jsonb,
  created_at          timestamptz(3) NOT NULL DEFAULT now(),
  started_at          timestamptz(3),
  cancel_requested_at timestamptz(3),
  finished_at         timestamptz(3),
  expires_at          timestamptz(3),
  CONSTRAINT job_kind_valid CHECK (kind IN ('import', 'export')),
  CONSTRAINT job_state_valid
    CHECK (state IN ('queued', 'running', 'succeeded', 'succeeded_with_errors', 'failed', 'cancelled')),
  CONSTRAINT job_caller_type_valid CHECK (caller_type IN ('api_key', 'user', 'system')),
  CONSTRAINT job_progress_valid CHECK (progress_done >= 0 AND progress_total >= 0 AND error_lines >= 0),
  CONSTRAINT job_finished_with_times CHECK (
    (state IN ('queued', 'running')) = (finished_at IS NULL) AND (finished_at IS NULL) = (expires_at IS NULL)
  )
);
CREATE INDEX job_caller ON job (caller_id, created_at, id);
CREATE INDEX job_created ON job (created_at, id);
CREATE INDEX job_expires ON job (expires_at);
CREATE INDEX job_state ON job (state, created_at, id);

-- A body, a result or a part of a result. `bytes` is NULL until the file is whole; `job_id` is NULL until its job is submitted.
CREATE TABLE job_file (
  id         uuid PRIMARY KEY,
  job_id     uuid,
  attempt    integer NOT NULL,
  role       text NOT NULL,
  number     integer NOT NULL,
  name       text NOT NULL,
  media_type text NOT NULL,
  encoding   text,
  bytes      bigint,
  sha256     text,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT job_file_job_id_fkey FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT job_file_of_attempt UNIQUE (job_id, attempt, role, number),
  CONSTRAINT job_file_role_valid CHECK (role IN ('body', 'result', 'part')),
  CONSTRAINT job_file_whole_with_hash CHECK ((bytes IS NULL) = (sha256 IS NULL))
);

CREATE TABLE job_chunk (
  file_id uuid NOT NULL,
  number  integer NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (file_id, number),
  CONSTRAINT job_chunk_file_id_fkey FOREIGN KEY (file_id) REFERENCES job_file (id) ON DELETE CASCADE ON UPDATE NO ACTION,
  CONSTRAINT job_chunk_content_valid CHECK (octet_length(content) BETWEEN 1 AND 1048576)
);
-- Compressing 1 MiB costs more than it saves here, and gzip does not shrink twice.
ALTER TABLE job_chunk ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE job_error (
  job_id uuid NOT NULL,
  number integer NOT NULL,
  attempt integer NOT NULL,
  line   jsonb NOT NULL,
  PRIMARY KEY (job_id, number),
  CONSTRAINT job_error_job_id_fkey FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE CASCADE ON UPDATE NO ACTION
);
