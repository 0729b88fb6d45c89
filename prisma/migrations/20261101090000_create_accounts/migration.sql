-- The tables of the accounts: studios, their owners, games, players, libraries, the audit trail and the keys.
--
-- Locks: none that anybody can notice; every statement creates something new.
-- Why that is fine: nothing refers to these tables yet.
-- Recovery: the file is one transaction. After a failure nothing of it is there: mend the cause (usually the right to
--   create the extension pg_trgm), mark the failed row of _prisma_migrations as rolled back and run the migration again.
--
-- Rules of the file: a constraint has a name, because error answers are chosen by name (src/database/constraints.ts);
-- instants are timestamptz(3), because a JavaScript Date has milliseconds and finer values would break keyset paging; no
-- partial unique index, a value that stops being live becomes NULL and collides with nothing; nothing newer than
-- PostgreSQL 15.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TYPE studio_status AS ENUM ('prospect', 'in_review', 'active', 'suspended', 'rejected', 'closed');
CREATE TYPE owner_status AS ENUM ('active', 'disabled', 'erased');
CREATE TYPE member_role AS ENUM ('owner', 'admin', 'finance', 'developer', 'viewer');
CREATE TYPE member_status AS ENUM ('invited', 'active', 'left');
CREATE TYPE game_status AS ENUM (
  'draft', 'submitted', 'in_review', 'changes_requested', 'approved', 'announced', 'early_access', 'released',
  'delisted', 'retired', 'rejected', 'withdrawn', 'cancelled');
CREATE TYPE platform AS ENUM (
  'windows', 'macos', 'linux', 'ps4', 'ps5', 'xbox_one', 'xbox_series', 'switch', 'switch_2', 'ios', 'android', 'web');
CREATE TYPE genre AS ENUM (
  'action', 'adventure', 'rpg', 'strategy', 'simulation', 'puzzle', 'platformer', 'shooter', 'fighting', 'sports',
  'racing', 'horror', 'survival', 'sandbox', 'roguelike', 'visual_novel', 'rhythm', 'card', 'party', 'idle',
  'educational', 'other');
CREATE TYPE date_precision AS ENUM ('day', 'month', 'quarter', 'year', 'tba');
CREATE TYPE player_status AS ENUM ('active', 'closed', 'erasure_pending', 'erased');
CREATE TYPE identity_provider AS ENUM (
  'steam', 'epic', 'psn', 'xbox', 'nintendo', 'apple', 'google', 'discord', 'studio');
CREATE TYPE entitlement_source AS ENUM (
  'purchase', 'key', 'gift', 'bundle', 'subscription', 'free', 'promotion', 'beta', 'press', 'staff', 'import');
CREATE TYPE actor_type AS ENUM ('api_key', 'user', 'system');

-- The partner company, from first contact to closed.
CREATE TABLE studio (
  id uuid CONSTRAINT studio_pkey PRIMARY KEY,
  slug text NOT NULL CONSTRAINT studio_slug_key UNIQUE
    CONSTRAINT studio_slug_valid CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) BETWEEN 2 AND 64),
  name text NOT NULL
    CONSTRAINT studio_name_valid
      CHECK (char_length(name) BETWEEN 1 AND 120 AND name = btrim(name) AND name IS NFC NORMALIZED),
  legal_name text CONSTRAINT studio_legal_name_valid CHECK (char_length(legal_name) <= 200),
  country char(2) CONSTRAINT studio_country_valid CHECK (country ~ '^[A-Z]{2}$'),
  website text CONSTRAINT studio_website_valid CHECK (length(website) <= 2048 AND website ~ '^https?://'),
  status studio_status NOT NULL DEFAULT 'prospect',
  status_changed_at timestamptz(3) NOT NULL DEFAULT now(),
  external_ref text CONSTRAINT studio_external_ref_key UNIQUE
    CONSTRAINT studio_external_ref_valid CHECK (length(external_ref) BETWEEN 1 AND 128),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now()
);

-- The person who owns or runs a studio. A person who is a player too has two rows that are not linked.
CREATE TABLE studio_owner (
  id uuid CONSTRAINT studio_owner_pkey PRIMARY KEY,
  full_name text
    CONSTRAINT studio_owner_full_name_valid
      CHECK (char_length(full_name) BETWEEN 1 AND 200 AND full_name IS NFC NORMALIZED),
  email text CONSTRAINT studio_owner_email_valid CHECK (octet_length(email) BETWEEN 3 AND 254),
  email_key text CONSTRAINT studio_owner_email_key_key UNIQUE
    CONSTRAINT studio_owner_email_key_valid
      CHECK (email_key IS NFKC NORMALIZED AND email_key !~ '[A-Z[:space:]]' AND octet_length(email_key) <= 254),
  email_verified_at timestamptz(3),
  country char(2) CONSTRAINT studio_owner_country_valid CHECK (country ~ '^[A-Z]{2}$'),
  auth_subject text CONSTRAINT studio_owner_auth_subject_key UNIQUE
    CONSTRAINT studio_owner_auth_subject_valid CHECK (length(auth_subject) BETWEEN 1 AND 255),
  status owner_status NOT NULL DEFAULT 'active',
  external_ref text CONSTRAINT studio_owner_external_ref_key UNIQUE
    CONSTRAINT studio_owner_external_ref_valid CHECK (length(external_ref) BETWEEN 1 AND 128),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT studio_owner_email_with_key CHECK ((email IS NULL) = (email_key IS NULL)),
  CONSTRAINT studio_owner_has_name_and_email
    CHECK (status = 'erased' OR (full_name IS NOT NULL AND email_key IS NOT NULL)),
  CONSTRAINT owner_erased_has_no_personal_data
    CHECK (status <> 'erased' OR num_nonnulls(
      full_name, email, email_key, email_verified_at, country, auth_subject, external_ref) = 0)
);

-- Who owns or administers which studio.
CREATE TABLE studio_membership (
  studio_id uuid NOT NULL
    CONSTRAINT studio_membership_studio_id_fkey REFERENCES studio (id) ON DELETE RESTRICT,
  owner_id uuid NOT NULL
    CONSTRAINT studio_membership_owner_id_fkey REFERENCES studio_owner (id) ON DELETE RESTRICT,
  role member_role NOT NULL,
  status member_status NOT NULL DEFAULT 'invited',
  ownership_percent numeric(5, 2)
    CONSTRAINT studio_membership_ownership_percent_valid CHECK (ownership_percent > 0 AND ownership_percent <= 100),
  joined_at timestamptz(3),
  left_at timestamptz(3),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT studio_membership_pkey PRIMARY KEY (studio_id, owner_id),
  CONSTRAINT studio_membership_share_needs_owner_role CHECK (ownership_percent IS NULL OR role = 'owner'),
  CONSTRAINT studio_membership_left_with_time CHECK ((status = 'left') = (left_at IS NOT NULL))
);
CREATE INDEX studio_membership_owner ON studio_membership (owner_id);

CREATE TABLE game (
  id uuid CONSTRAINT game_pkey PRIMARY KEY,
  studio_id uuid NOT NULL CONSTRAINT game_studio_id_fkey REFERENCES studio (id) ON DELETE RESTRICT,
  slug text NOT NULL CONSTRAINT game_slug_key UNIQUE
    CONSTRAINT game_slug_valid CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) BETWEEN 2 AND 64),
  title text NOT NULL
    CONSTRAINT game_title_valid
      CHECK (char_length(title) BETWEEN 1 AND 200 AND title = btrim(title) AND title IS NFC NORMALIZED),
  summary text CONSTRAINT game_summary_valid CHECK (char_length(summary) <= 2000),
  genres genre[] NOT NULL DEFAULT '{}' CONSTRAINT game_genres_valid CHECK (cardinality(genres) <= 5),
  min_age smallint CONSTRAINT game_min_age_valid CHECK (min_age BETWEEN 0 AND 21),
  release_date date, -- the last day of its month, quarter or year, so that sorting is right
  release_precision date_precision NOT NULL DEFAULT 'tba',
  status game_status NOT NULL DEFAULT 'draft',
  status_changed_at timestamptz(3) NOT NULL DEFAULT now(),
  external_ref text CONSTRAINT game_external_ref_key UNIQUE
    CONSTRAINT game_external_ref_valid CHECK (length(external_ref) BETWEEN 1 AND 128),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT game_date_matches_precision CHECK ((release_precision = 'tba') = (release_date IS NULL)),
  CONSTRAINT game_public_needs_facts
    CHECK (status NOT IN ('early_access', 'released', 'delisted', 'retired')
      OR (release_date IS NOT NULL AND release_precision = 'day' AND min_age IS NOT NULL AND cardinality(genres) >= 1))
);
CREATE INDEX game_studio_status ON game (studio_id, status, id);
CREATE INDEX game_status_release ON game (status, release_date, id);
CREATE INDEX game_genres ON game USING gin (genres);
CREATE INDEX game_title_trgm ON game USING gin (title gin_trgm_ops);

-- Where a game ships. Library rows refer to it, so nobody can own a game on a platform that it is not on.
CREATE TABLE game_platform (
  game_id uuid NOT NULL CONSTRAINT game_platform_game_id_fkey REFERENCES game (id) ON DELETE RESTRICT,
  platform platform NOT NULL,
  store text NOT NULL DEFAULT '' CONSTRAINT game_platform_store_valid CHECK (store ~ '^[a-z0-9_]{0,32}$'),
  store_app_id text
    CONSTRAINT game_platform_store_app_id_valid CHECK (length(store_app_id) BETWEEN 1 AND 128),
  released_on date,
  delisted_on date,
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT game_platform_pkey PRIMARY KEY (game_id, platform),
  CONSTRAINT game_platform_store_store_app_id_platform_key UNIQUE (store, store_app_id, platform),
  CONSTRAINT game_platform_app_id_needs_store CHECK (store_app_id IS NULL OR store <> ''),
  CONSTRAINT game_platform_delisted_after_release
    CHECK (delisted_on IS NULL OR (released_on IS NOT NULL AND delisted_on >= released_on))
);

CREATE TABLE player (
  id uuid CONSTRAINT player_pkey PRIMARY KEY,
  username text NOT NULL CONSTRAINT player_username_valid CHECK (char_length(username) BETWEEN 3 AND 32),
  username_key text NOT NULL CONSTRAINT player_username_key_key UNIQUE
    CONSTRAINT player_username_key_valid
      CHECK (username_key IS NFKC NORMALIZED AND username_key !~ '[A-Z[:space:][:cntrl:]]'
        AND char_length(username_key) BETWEEN 3 AND 96),
  display_name text
    CONSTRAINT player_display_name_valid
      CHECK (char_length(display_name) BETWEEN 1 AND 64 AND octet_length(display_name) <= 256
        AND display_name IS NFC NORMALIZED AND display_name = btrim(display_name)),
  email text CONSTRAINT player_email_valid CHECK (octet_length(email) BETWEEN 3 AND 254),
  email_key text CONSTRAINT player_email_key_key UNIQUE
    CONSTRAINT player_email_key_valid
      CHECK (email_key IS NFKC NORMALIZED AND email_key !~ '[A-Z[:space:]]' AND octet_length(email_key) <= 254),
  email_verified_at timestamptz(3),
  birth_date date CONSTRAINT player_birth_date_valid CHECK (birth_date > DATE '1900-01-01' AND isfinite(birth_date)),
  country char(2) CONSTRAINT player_country_valid CHECK (country ~ '^[A-Z]{2}$'),
  locale text CONSTRAINT player_locale_valid CHECK (length(locale) <= 35),
  status player_status NOT NULL DEFAULT 'active',
  closed_at timestamptz(3),
  erased_at timestamptz(3),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT player_email_with_key CHECK ((email IS NULL) = (email_key IS NULL)),
  CONSTRAINT player_verified_needs_email CHECK (email_verified_at IS NULL OR email IS NOT NULL),
  CONSTRAINT player_erased_with_time CHECK ((status = 'erased') = (erased_at IS NOT NULL)),
  CONSTRAINT player_erased_has_no_personal_data
    CHECK (status <> 'erased' OR (
      num_nonnulls(display_name, email, email_key, email_verified_at, birth_date, country, locale) = 0
      AND username_key = 'erased-' || substr(replace(id::text, '-', ''), 8, 25)
      AND username = username_key))
);
CREATE INDEX player_created ON player (created_at, id);
CREATE INDEX player_status_created ON player (status, created_at, id);
CREATE INDEX player_country ON player (country, id);
CREATE INDEX player_username_trgm ON player USING gin (username_key gin_trgm_ops);

-- Accounts elsewhere. A new provider is a new enum value, not a new column of the largest table.
CREATE TABLE player_identity (
  id uuid CONSTRAINT player_identity_pkey PRIMARY KEY,
  player_id uuid NOT NULL CONSTRAINT player_identity_player_id_fkey REFERENCES player (id) ON DELETE RESTRICT,
  provider identity_provider NOT NULL,
  namespace text NOT NULL DEFAULT '' CONSTRAINT player_identity_namespace_valid CHECK (length(namespace) <= 64),
  subject text
    CONSTRAINT player_identity_subject_valid
      CHECK (length(subject) BETWEEN 1 AND 255 AND subject !~ '[[:space:][:cntrl:]]'),
  provider_name text CONSTRAINT player_identity_provider_name_valid CHECK (char_length(provider_name) <= 128),
  verified_at timestamptz(3),
  linked_at timestamptz(3) NOT NULL DEFAULT now(),
  unlinked_at timestamptz(3),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT player_identity_provider_namespace_subject_key UNIQUE (provider, namespace, subject),
  CONSTRAINT player_identity_studio_with_namespace CHECK ((provider = 'studio') = (namespace <> '')),
  CONSTRAINT player_identity_steam_subject_valid
    CHECK (provider <> 'steam' OR subject IS NULL OR subject ~ '^7656119[0-9]{10}$'),
  CONSTRAINT player_identity_unlinked_without_subject CHECK ((unlinked_at IS NULL) = (subject IS NOT NULL)),
  CONSTRAINT player_identity_unlinked_without_name CHECK (unlinked_at IS NULL OR provider_name IS NULL)
);
CREATE INDEX player_identity_player ON player_identity (player_id);

-- The library: one row per player, game and platform.
CREATE TABLE player_game (
  id uuid CONSTRAINT player_game_pkey PRIMARY KEY,
  player_id uuid NOT NULL CONSTRAINT player_game_player_id_fkey REFERENCES player (id) ON DELETE RESTRICT,
  game_id uuid NOT NULL,
  platform platform NOT NULL,
  source entitlement_source NOT NULL,
  source_ref text CONSTRAINT player_game_source_ref_valid CHECK (length(source_ref) <= 128),
  acquired_at timestamptz(3) NOT NULL,
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  revoke_reason text
    CONSTRAINT player_game_revoke_reason_valid
      CHECK (revoke_reason IN ('refund', 'chargeback', 'fraud', 'mistake', 'expired_grant', 'other')),
  playtime_seconds bigint NOT NULL DEFAULT 0
    CONSTRAINT player_game_playtime_seconds_valid CHECK (playtime_seconds >= 0),
  first_played_at timestamptz(3),
  last_played_at timestamptz(3),
  version integer NOT NULL DEFAULT 1,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  updated_at timestamptz(3) NOT NULL DEFAULT now(),
  CONSTRAINT player_game_player_id_game_id_platform_key UNIQUE (player_id, game_id, platform),
  CONSTRAINT player_game_game_id_platform_fkey
    FOREIGN KEY (game_id, platform) REFERENCES game_platform (game_id, platform) ON DELETE RESTRICT,
  CONSTRAINT player_game_expires_after_acquired CHECK (expires_at > acquired_at),
  CONSTRAINT player_game_revoked_with_reason CHECK ((revoked_at IS NULL) = (revoke_reason IS NULL)),
  -- A first time needs a last time: with NULL the comparison would be unknown, and a CHECK lets the unknown pass.
  CONSTRAINT player_game_first_played_before_last
    CHECK (first_played_at IS NULL OR (last_played_at IS NOT NULL AND first_played_at <= last_played_at))
);
CREATE INDEX player_game_game_acquired ON player_game (game_id, acquired_at, id);
CREATE INDEX player_game_game_played ON player_game (game_id, last_played_at DESC NULLS LAST, id);

-- Who changed what and when. Never holds a personal value, so erasing a person never rewrites it.
CREATE TABLE audit_event (
  seq bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_event_pkey PRIMARY KEY,
  occurred_at timestamptz(3) NOT NULL DEFAULT now(),
  actor_type actor_type NOT NULL,
  actor_id text NOT NULL,
  request_id text NOT NULL,
  action text NOT NULL CONSTRAINT audit_event_action_valid CHECK (action ~ '^[a-z_]+\.[a-z_]+$'),
  entity_type text NOT NULL
    CONSTRAINT audit_event_entity_type_valid
      CHECK (entity_type IN ('studio', 'owner', 'membership', 'game', 'game_platform', 'player', 'player_game',
        'api_key', 'snapshot')),
  entity_id text NOT NULL,
  studio_id uuid,
  reason text CONSTRAINT audit_event_reason_valid CHECK (char_length(reason) <= 500),
  changes jsonb NOT NULL DEFAULT '{}'
    CONSTRAINT audit_event_changes_valid CHECK (octet_length(changes::text) <= 32768)
);
CREATE INDEX audit_entity ON audit_event (entity_type, entity_id, seq);
CREATE INDEX audit_actor ON audit_event (actor_id, seq);
CREATE INDEX audit_studio ON audit_event (studio_id, seq);

CREATE TABLE api_key (
  id text CONSTRAINT api_key_pkey PRIMARY KEY CONSTRAINT api_key_id_valid CHECK (id ~ '^[0-9a-z]{12}$'),
  name text NOT NULL CONSTRAINT api_key_name_valid CHECK (char_length(name) BETWEEN 1 AND 100),
  secret_hash bytea NOT NULL CONSTRAINT api_key_secret_hash_valid CHECK (octet_length(secret_hash) = 32),
  scopes text[] NOT NULL CONSTRAINT api_key_scopes_valid CHECK (cardinality(scopes) BETWEEN 1 AND 32),
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  CONSTRAINT api_key_expires_within_a_year
    CHECK (expires_at > created_at AND expires_at <= created_at + interval '366 days')
);

-- The stored answers of requests that carried an Idempotency-Key. A row is leased or finished, never both.
CREATE TABLE idempotency_key (
  caller_id text NOT NULL,
  key text NOT NULL CONSTRAINT idempotency_key_key_valid CHECK (length(key) BETWEEN 8 AND 255),
  fingerprint bytea NOT NULL CONSTRAINT idempotency_key_fingerprint_valid CHECK (octet_length(fingerprint) = 32),
  locked_until timestamptz(3),
  response_status smallint,
  response_headers jsonb,
  response_body bytea,
  created_at timestamptz(3) NOT NULL DEFAULT now(),
  expires_at timestamptz(3) NOT NULL,
  CONSTRAINT idempotency_key_pkey PRIMARY KEY (caller_id, key),
  CONSTRAINT idempotency_key_leased_or_finished CHECK ((locked_until IS NULL) = (response_status IS NOT NULL))
);
CREATE INDEX idempotency_expiry ON idempotency_key (expires_at);
