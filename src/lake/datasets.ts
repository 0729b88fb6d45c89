/**
 * Every table and column of the database: its class for the API and its action in the lake. Data, not code.
 *
 * Read by the API (who may see what), the snapshot (what COPY sends), the Parquet schema, the Glue tables, the crawler, the
 * views and the infrastructure. A test compares it with the migrated database: a column without an entry fails the build, and
 * so does an entry without a column. Imports nothing.
 */

export type DataClass = 'public' | 'internal' | 'personal' | 'secret'

/** Types that COPY may send, see `parquet/`. `enum` is any Postgres enum: its label is text on the wire. */
export type PgType =
  | 'uuid'
  | 'text'
  | 'enum'
  | 'jsonb'
  | 'timestamptz(3)'
  | 'date'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'boolean'
  | `numeric(${number},${number})`

export type AthenaType = 'string' | 'timestamp' | 'date' | 'int' | 'bigint' | 'boolean' | `decimal(${number},${number})`

/** A person's id under another name: the same value in every table, meaningless without the lake key. */
export type PseudonymName = 'player_ref' | 'owner_ref' | 'actor_ref' | 'entity_ref'
export type Generalisation = 'toBoolean' | 'toBirthYear' | 'toLanguage'

/** One of several lake columns made from one database column. */
export interface LakeColumn {
  readonly as: string
  /** Must be total: an error inside COPY names no row. */
  readonly sql: string
  readonly pgType: PgType
  readonly athenaType: AthenaType
  readonly action: 'include' | 'pseudonymise' | 'generalise'
  readonly nullable: boolean
  readonly description?: string
}

export type LakeAction =
  | 'include'
  | 'drop'
  | { readonly pseudonymise: PseudonymName }
  | { readonly generalise: Generalisation; readonly as: string }
  | readonly LakeColumn[]

export interface Column {
  readonly class: DataClass
  readonly lake: LakeAction
  /** Type of the expression that COPY sends: of `sql` if given, else of the action's expression, else of the column. */
  readonly pgType?: PgType
  readonly athenaType?: AthenaType
  /** The database column may be NULL. */
  readonly nullable?: true
  /** The expression that COPY sends in place of the column itself, or of the one that a generalisation makes. */
  readonly sql?: string
  /** Why a personal column is in the lake all the same. */
  readonly reason?: string
  /** `false`: never in a response, an export or an import line. */
  readonly api?: false
  /** What a value does that Parquet or its readers cannot hold; default `fail`. */
  readonly onUnrepresentable?: 'fail' | 'null'
  /** `false`: no minimum and maximum in the file. */
  readonly stats?: false
  /** What the value means, for analysts: one sentence, shown in the catalogue. */
  readonly description?: string
  /** Of a number: `seconds`. */
  readonly unit?: string
  /** The labels of an enum, in the database's order: shown in the catalogue; one that is missing here is logged. */
  readonly values?: readonly string[]
  /**
   * The contract version in which the column lost its place: it has left the database, or another one replaces it. It stays in
   * the files, as `sql` says (a typed NULL, or the new column's value), and leaves with the next version.
   */
  readonly deprecatedIn?: number
  /** The lake column that this one replaces. Never guessed: a rename in the database looks like one column gone and one new. */
  readonly renamedFrom?: string
}

/** A contract version that is still written beside the current one, frozen as it was. */
export interface EarlierVersion {
  readonly version: number
  /** All of its columns in their order; where the database has moved on, `sql` makes the old type out of the new one. */
  readonly columns: Readonly<Record<string, Column>>
}

export interface Dataset {
  /** API resource, for scopes. */
  readonly resource: string
  /** Glue table and S3 folder; `null`: not in the lake. */
  readonly lakeTable: string | null
  /** What one row is, for the catalogue and the API's data dictionary. */
  readonly description: string
  /** Always in the COPY, even when dropped from the lake: error texts need it. */
  readonly primaryKey: readonly string[]
  /** Contract version; above 1 the lake table is `<lakeTable>_v<version>`. */
  readonly version: number
  /** Versions that readers of the raw tables still need, until no live snapshot lacks the current one. */
  readonly earlier?: readonly EarlierVersion[]
  /**
   * No snapshot writes the table any more; its views show the snapshots that hold it until the last of them has expired. Comes
   * before the table leaves the database.
   */
  readonly retired?: true
  /** Order = order in the file; new columns are appended. */
  readonly columns: Readonly<Record<string, Column>>
}

/** What the cast takes, asked of the cast itself: a regular expression would cost seven times as much. */
const isUuid = (column: string) => `pg_input_is_valid(${column}, 'uuid')`

const STUDIO_STATUS = ['prospect', 'in_review', 'active', 'suspended', 'rejected', 'closed'] as const
const OWNER_STATUS = ['active', 'disabled', 'erased'] as const
const MEMBER_ROLE = ['owner', 'admin', 'finance', 'developer', 'viewer'] as const
const MEMBER_STATUS = ['invited', 'active', 'left'] as const
const GAME_STATUS = [
  ...['draft', 'submitted', 'in_review', 'changes_requested', 'approved', 'announced', 'early_access'],
  ...['released', 'delisted', 'retired', 'rejected', 'withdrawn', 'cancelled'],
] as const
const PLATFORM = [
  ...['windows', 'macos', 'linux', 'ps4', 'ps5', 'xbox_one', 'xbox_series', 'switch', 'switch_2'],
  ...['ios', 'android', 'web'],
] as const
const DATE_PRECISION = ['day', 'month', 'quarter', 'year', 'tba'] as const
const PLAYER_STATUS = ['active', 'closed', 'erasure_pending', 'erased'] as const
const IDENTITY_PROVIDER = [
  ...['steam', 'epic', 'psn', 'xbox', 'nintendo', 'apple', 'google', 'discord', 'studio'],
] as const
const ENTITLEMENT_SOURCE = [
  ...['purchase', 'key', 'gift', 'bundle', 'subscription', 'free', 'promotion', 'beta', 'press', 'staff', 'import'],
] as const
const ACTOR_TYPE = ['api_key', 'user', 'system'] as const

const publicText = { class: 'public', lake: 'include', pgType: 'text', athenaType: 'string' } as const
const internalText = { class: 'internal', lake: 'include', pgType: 'text', athenaType: 'string' } as const
const publicId = { class: 'public', lake: 'include', pgType: 'uuid', athenaType: 'string' } as const
const internalId = { class: 'internal', lake: 'include', pgType: 'uuid', athenaType: 'string' } as const
const playerRef = {
  class: 'internal',
  lake: { pseudonymise: 'player_ref' },
  pgType: 'uuid',
  athenaType: 'string',
  description: 'The player: the same value in every table and snapshot, and nothing else about the person',
} as const
const ownerRef = {
  class: 'internal',
  lake: { pseudonymise: 'owner_ref' },
  pgType: 'uuid',
  athenaType: 'string',
  description: 'The person behind a studio: the same value in every table and snapshot',
} as const
const internalEnum = { class: 'internal', lake: 'include', pgType: 'enum', athenaType: 'string' } as const
const publicEnum = { class: 'public', lake: 'include', pgType: 'enum', athenaType: 'string' } as const
const internalTime = { class: 'internal', lake: 'include', pgType: 'timestamptz(3)', athenaType: 'timestamp' } as const
const publicDate = { class: 'public', lake: 'include', pgType: 'date', athenaType: 'date' } as const
const personal = { class: 'personal', lake: 'drop' } as const
const control = { class: 'internal', lake: 'drop' } as const
const nullableControl = { ...control, nullable: true } as const
const nullable = { nullable: true } as const
const emailVerified = {
  class: 'personal',
  lake: { generalise: 'toBoolean', as: 'email_verified' },
  pgType: 'boolean',
  athenaType: 'boolean',
  nullable: true,
  description: 'Whether the e-mail address has been verified',
} as const
const personalCountry = {
  class: 'personal',
  lake: 'include',
  reason: 'coarse; analysts compare markets',
  description: 'Country of residence, ISO 3166-1 alpha-2',
  sql: 'country::text',
  pgType: 'text',
  athenaType: 'string',
  nullable: true,
} as const

/** `version`, `created_at`, `updated_at` of every table that has them. */
const common = {
  version: {
    class: 'internal',
    lake: 'include',
    pgType: 'integer',
    athenaType: 'int',
    description: 'How often the row has been written; starts at 1',
  },
  created_at: { ...internalTime, description: 'When the row was made' },
  updated_at: { ...internalTime, description: 'When the row was last written' },
} as const

export const datasets = {
  studio: {
    resource: 'studios',
    lakeTable: 'studios',
    description: 'A partner company, from first contact to closed',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: { ...publicId, description: 'The studio' },
      slug: { ...publicText, description: 'Name in addresses, unique' },
      name: { ...publicText, description: 'Name as it is shown' },
      legal_name: { ...internalText, ...nullable, description: 'Name of the legal entity' },
      country: {
        ...publicText,
        sql: 'country::text',
        ...nullable,
        description: 'Country of the company, ISO 3166-1 alpha-2',
      },
      website: { ...publicText, ...nullable, description: 'Web address' },
      status: { ...internalEnum, description: 'Where the partnership stands', values: STUDIO_STATUS },
      status_changed_at: { ...internalTime, description: 'When the status last changed' },
      external_ref: {
        ...internalText,
        ...nullable,
        description: 'Id of the studio in the system that it was imported from',
      },
      ...common,
    },
  },
  studio_owner: {
    resource: 'owners',
    lakeTable: 'studio_owners',
    description: 'A person who owns or runs studios, without name or address',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: ownerRef,
      full_name: { ...personal, ...nullable },
      email: { ...personal, ...nullable },
      email_key: { ...personal, ...nullable, api: false },
      email_verified_at: emailVerified,
      country: personalCountry,
      auth_subject: { ...personal, ...nullable },
      status: { ...internalEnum, description: 'Whether the person may act', values: OWNER_STATUS },
      external_ref: { ...personal, ...nullable },
      ...common,
    },
  },
  studio_membership: {
    resource: 'studios',
    lakeTable: 'studio_memberships',
    description: 'Who owns or administers which studio',
    primaryKey: ['studio_id', 'owner_id'],
    version: 1,
    columns: {
      studio_id: { ...internalId, description: 'The studio' },
      owner_id: ownerRef,
      role: { ...internalEnum, description: 'What the person may do for the studio', values: MEMBER_ROLE },
      status: { ...internalEnum, description: 'Whether the membership is in force', values: MEMBER_STATUS },
      ownership_percent: { class: 'internal', lake: 'drop', ...nullable },
      joined_at: { ...internalTime, ...nullable, description: 'When the invitation was accepted' },
      left_at: { ...internalTime, ...nullable, description: 'When the person left' },
      ...common,
    },
  },
  game: {
    resource: 'games',
    lakeTable: 'games',
    description: 'A game, from draft to retired',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: { ...publicId, description: 'The game' },
      studio_id: { ...publicId, description: 'The studio that makes the game' },
      slug: { ...publicText, description: 'Name in addresses, unique' },
      title: { ...publicText, description: 'Title as it is shown' },
      summary: { class: 'public', lake: 'drop', ...nullable },
      genres: {
        class: 'public',
        lake: 'include',
        sql: 'to_jsonb(genres)',
        pgType: 'jsonb',
        athenaType: 'string',
        description: 'Genres as a JSON array of texts',
      },
      min_age: {
        class: 'public',
        lake: 'include',
        pgType: 'smallint',
        athenaType: 'int',
        ...nullable,
        description: 'Lowest age the game is rated for',
        unit: 'years',
      },
      release_date: {
        ...publicDate,
        ...nullable,
        description: 'Day of release; the last day of its month, quarter or year where release_precision says so',
      },
      release_precision: {
        ...publicEnum,
        description: 'How exact release_date is; tba: none is known',
        values: DATE_PRECISION,
      },
      status: { ...internalEnum, description: 'Where the game stands', values: GAME_STATUS },
      status_changed_at: { ...internalTime, description: 'When the status last changed' },
      external_ref: {
        ...internalText,
        ...nullable,
        description: 'Id of the game in the system that it was imported from',
      },
      ...common,
    },
  },
  game_platform: {
    resource: 'games',
    lakeTable: 'game_platforms',
    description: 'Where a game ships: one row per game and platform',
    primaryKey: ['game_id', 'platform'],
    version: 1,
    columns: {
      game_id: { ...publicId, description: 'The game' },
      platform: { ...publicEnum, description: 'What it runs on', values: PLATFORM },
      store: { ...publicText, description: 'The store that sells it; empty: none' },
      store_app_id: { ...publicText, ...nullable, description: 'Id of the game in that store' },
      released_on: { ...publicDate, ...nullable, description: 'Day from which it is sold there' },
      delisted_on: { ...publicDate, ...nullable, description: 'Day from which it is not sold there any more' },
      ...common,
    },
  },
  player: {
    resource: 'players',
    lakeTable: 'players',
    description: 'A player account, without name, address or birth date',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: playerRef,
      username: personal,
      username_key: { ...personal, api: false },
      display_name: { ...personal, ...nullable },
      email: { ...personal, ...nullable },
      email_key: { ...personal, ...nullable, api: false },
      email_verified_at: emailVerified,
      birth_date: {
        class: 'personal',
        lake: { generalise: 'toBirthYear', as: 'birth_year' },
        pgType: 'text',
        athenaType: 'string',
        nullable: true,
        description: 'Year of birth; under_18 for minors',
      },
      country: personalCountry,
      locale: {
        class: 'personal',
        lake: { generalise: 'toLanguage', as: 'language' },
        pgType: 'text',
        athenaType: 'string',
        nullable: true,
        description: 'Language of the account, ISO 639',
      },
      status: { ...internalEnum, description: 'Whether the account is in use', values: PLAYER_STATUS },
      closed_at: { ...internalTime, ...nullable, description: 'When the account was closed' },
      erased_at: { ...internalTime, ...nullable, description: 'When the personal data was erased' },
      ...common,
    },
  },
  player_identity: {
    resource: 'players',
    lakeTable: 'player_identities',
    description: 'An account of a player elsewhere: one row per link, without the account itself',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: { class: 'internal', lake: 'drop' },
      player_id: playerRef,
      provider: { ...internalEnum, description: 'Whose account it is', values: IDENTITY_PROVIDER },
      namespace: {
        ...internalText,
        description: 'Which part of the provider: the studio for its own accounts, else empty',
      },
      subject: { ...personal, ...nullable },
      provider_name: { ...personal, ...nullable },
      verified_at: { ...internalTime, ...nullable, description: 'When the link was proven' },
      linked_at: { ...internalTime, description: 'When the account was linked' },
      unlinked_at: { ...internalTime, ...nullable, description: 'When the link was removed' },
      ...common,
    },
  },
  player_game: {
    resource: 'library',
    lakeTable: 'player_games',
    description: 'What a player owns: one row per player, game and platform',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: { ...internalId, description: 'The library entry' },
      player_id: playerRef,
      game_id: { ...internalId, description: 'The game' },
      platform: { ...internalEnum, description: 'The platform it is owned on', values: PLATFORM },
      source: { ...internalEnum, description: 'How the player got it', values: ENTITLEMENT_SOURCE },
      source_ref: { ...personal, ...nullable },
      acquired_at: { ...internalTime, description: 'When the player got it' },
      expires_at: { ...internalTime, ...nullable, description: 'When the right to play ends' },
      revoked_at: { ...internalTime, ...nullable, description: 'When it was taken back' },
      revoke_reason: {
        ...internalText,
        ...nullable,
        description: 'Why it was taken back: refund, chargeback, fraud, mistake, expired_grant or other',
      },
      playtime_seconds: {
        class: 'internal',
        lake: 'include',
        pgType: 'bigint',
        athenaType: 'bigint',
        description: 'Time played in total',
        unit: 'seconds',
      },
      first_played_at: { ...internalTime, ...nullable, description: 'When it was first played' },
      last_played_at: { ...internalTime, ...nullable, description: 'When it was last played' },
      ...common,
    },
  },
  audit_event: {
    resource: 'audit',
    lakeTable: 'audit_events',
    description: 'Who changed what and when; the changed values themselves stay in the database',
    primaryKey: ['seq'],
    version: 1,
    columns: {
      seq: {
        class: 'internal',
        lake: 'include',
        pgType: 'bigint',
        athenaType: 'bigint',
        description: 'Number of the event, ascending',
      },
      occurred_at: { ...internalTime, description: 'When it happened' },
      actor_type: {
        ...internalEnum,
        description: 'Who acted: a program by key, a signed-in person, or the system',
        values: ACTOR_TYPE,
      },
      actor_id: {
        class: 'internal',
        lake: [
          {
            as: 'actor_id',
            description: 'The key or job that acted; NULL for persons',
            sql: "CASE WHEN actor_type <> 'user' THEN actor_id END",
            pgType: 'text',
            athenaType: 'string',
            action: 'include',
            nullable: true,
          },
          {
            as: 'actor_ref',
            description: 'The person that acted, as player_ref and owner_ref show persons',
            sql: `CASE WHEN actor_type = 'user' AND ${isUuid('actor_id')} THEN actor_id::uuid END`,
            pgType: 'uuid',
            athenaType: 'string',
            action: 'pseudonymise',
            nullable: true,
          },
        ],
      },
      request_id: {
        class: 'internal',
        lake: [
          {
            as: 'request_id',
            description:
              'Id of the request as its caller chose it; NULL where it is a uuid, as those of the service are',
            sql: `CASE WHEN NOT ${isUuid('request_id')} THEN request_id END`,
            pgType: 'text',
            athenaType: 'string',
            action: 'include',
            nullable: true,
          },
        ],
      },
      action: { ...internalText, description: 'What was done, as player.update' },
      entity_type: {
        ...internalText,
        description: 'What kind of thing it was done to: studio, owner, game, player and so on',
      },
      entity_id: {
        class: 'internal',
        lake: [
          {
            as: 'entity_id',
            description: 'Id of the thing; NULL for persons',
            sql: "CASE WHEN entity_type NOT IN ('player', 'owner') THEN entity_id END",
            pgType: 'text',
            athenaType: 'string',
            action: 'include',
            nullable: true,
          },
          {
            as: 'entity_ref',
            description: 'The player or owner that it was done to, as player_ref and owner_ref show persons',
            sql: `CASE WHEN entity_type IN ('player', 'owner') AND ${isUuid('entity_id')} THEN entity_id::uuid END`,
            pgType: 'uuid',
            athenaType: 'string',
            action: 'pseudonymise',
            nullable: true,
          },
        ],
      },
      studio_id: { ...internalId, ...nullable, description: 'The studio that the thing belongs to' },
      reason: { ...personal, ...nullable },
      changes: { class: 'internal', lake: 'drop' },
    },
  },
  api_key: {
    resource: 'api-keys',
    lakeTable: null,
    description: 'A key that calls the API',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: control,
      name: control,
      secret_hash: { class: 'secret', lake: 'drop', api: false },
      scopes: control,
      created_by: control,
      created_at: control,
      expires_at: control,
      last_used_at: nullableControl,
      revoked_at: nullableControl,
      replaced_by: nullableControl,
    },
  },
  idempotency_key: {
    resource: 'idempotency-keys',
    lakeTable: null,
    description: 'The stored answer of a request that carried an Idempotency-Key',
    primaryKey: ['caller_id', 'key'],
    version: 1,
    columns: {
      caller_id: control,
      key: control,
      fingerprint: control,
      locked_until: nullableControl,
      response_status: nullableControl,
      response_headers: nullableControl,
      response_body: { ...personal, ...nullable, api: false },
      created_at: control,
      expires_at: control,
    },
  },
  request_count: {
    resource: 'request-counts',
    lakeTable: null,
    description: 'What a key has used of a quota',
    primaryKey: ['key_id', 'policy'],
    version: 1,
    columns: {
      key_id: control,
      policy: control,
      count: control,
      window_ends: control,
    },
  },
  lake_snapshots: {
    resource: 'lake',
    lakeTable: null,
    description: 'One run of the snapshot, from requested to published',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: control,
      sequence: control,
      state: control,
      running: nullableControl,
      fence: nullableControl,
      owner: nullableControl,
      requested_by: control,
      request_token: nullableControl,
      requested_at: control,
      started_at: nullableControl,
      prepared_at: nullableControl,
      committed_at: nullableControl,
      published_at: nullableControl,
      retiring_at: nullableControl,
      ended_at: nullableControl,
      source: nullableControl,
      manifest: nullableControl,
      manifest_sha256: nullableControl,
      total_rows: nullableControl,
      total_bytes: nullableControl,
      problem: { ...nullableControl },
      measurements: nullableControl,
      updated_at: control,
    },
  },
  lake_snapshot_tables: {
    resource: 'lake',
    lakeTable: null,
    description: 'The tables of a snapshot and their counts',
    primaryKey: ['snapshot_id', 'table_name'],
    version: 1,
    columns: {
      snapshot_id: control,
      table_name: control,
      state: control,
      rows_copied: nullableControl,
      rows_encoded: nullableControl,
      bytes: nullableControl,
      files: nullableControl,
      estimated_rows: nullableControl,
      updated_at: control,
    },
  },
  lake_uploads: {
    resource: 'lake',
    lakeTable: null,
    description: 'The multipart uploads of a snapshot: invisible until its commit',
    primaryKey: ['key'],
    version: 1,
    columns: {
      key: control,
      snapshot_id: control,
      table_name: control,
      upload_id: control,
      state: control,
      parts: nullableControl,
      bytes: nullableControl,
      rows: nullableControl,
      crc32: nullableControl,
      sha256: nullableControl,
      footer: nullableControl,
      created_at: control,
      updated_at: control,
    },
  },
  lake_lease: {
    resource: 'lake',
    lakeTable: null,
    description: 'The one row that names who may write the lake now',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: control,
      owner: nullableControl,
      fence: control,
      expires_at: control,
      host: nullableControl,
      process_id: nullableControl,
      process_started_at: nullableControl,
    },
  },
  lake_holds: {
    resource: 'lake',
    lakeTable: null,
    description: 'Keeps retention away from a snapshot while somebody reads it',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: control,
      snapshot_id: control,
      holder: control,
      reason: control,
      created_at: control,
      expires_at: control,
    },
  },
  job: {
    resource: 'jobs',
    lakeTable: null,
    description: 'Work that outlives its request: an import or an export',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: control,
      kind: control,
      resource: control,
      state: control,
      caller_type: control,
      caller_id: control,
      caller_scopes: { ...control, api: false },
      request_id: control,
      input: { ...personal, api: false },
      attempt: { ...control, api: false },
      interruptions: { ...control, api: false },
      progress_done: control,
      progress_total: nullableControl,
      error_lines: control,
      summary: nullableControl,
      problem: nullableControl,
      created_at: control,
      started_at: nullableControl,
      cancel_requested_at: nullableControl,
      finished_at: nullableControl,
      expires_at: nullableControl,
    },
  },
  job_file: {
    resource: 'jobs',
    lakeTable: null,
    description: 'A body, a result or a part of a result of a job',
    primaryKey: ['id'],
    version: 1,
    columns: {
      id: { ...control, api: false },
      job_id: { ...nullableControl, api: false },
      attempt: { ...control, api: false },
      role: control,
      number: control,
      name: control,
      media_type: control,
      bytes: nullableControl,
      sha256: nullableControl,
      created_at: control,
    },
  },
  job_chunk: {
    resource: 'jobs',
    lakeTable: null,
    description: 'At most 1 MiB of a file of a job',
    primaryKey: ['file_id', 'number'],
    version: 1,
    columns: {
      file_id: { ...control, api: false },
      number: { ...control, api: false },
      content: { ...personal, api: false },
    },
  },
  job_error: {
    resource: 'jobs',
    lakeTable: null,
    description: 'A line of a job that went wrong',
    primaryKey: ['job_id', 'number'],
    version: 1,
    columns: {
      job_id: control,
      number: control,
      attempt: { ...control, api: false },
      line: control,
    },
  },
} as const satisfies Readonly<Record<string, Dataset>>

export type TableName = keyof typeof datasets
