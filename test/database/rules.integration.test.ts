import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { expectRefused } from './refusal.ts'
import {
  insert,
  insertActiveStudio,
  insertGame,
  insertIdentity,
  insertMembership,
  insertOwner,
  insertPlayer,
  insertPlayerGame,
  insertStudio,
  PUBLIC_FACTS,
} from './rows.ts'

/** What the database refuses by itself, whoever writes. */

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createTestDatabase()
  client = new pg.Client(database.url)
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

const run = (sql: string, ...values: unknown[]) => client.query(sql, values)
const one = async (sql: string, ...values: unknown[]) => (await run(sql, ...values)).rows[0]
const versionOf = async (table: string, id: string) =>
  (await one(`SELECT version FROM ${table} WHERE id = $1`, id)).version

describe('studios', () => {
  it.each([
    ['a slug in capitals', { slug: 'Acme' }, 'studio_slug_valid'],
    ['a slug that ends with a hyphen', { slug: 'acme-' }, 'studio_slug_valid'],
    ['a slug of one letter', { slug: 'a' }, 'studio_slug_valid'],
    ['an empty name', { name: '' }, 'studio_name_valid'],
    ['a name with a blank at its end', { name: 'Acme ' }, 'studio_name_valid'],
    ['a name that is not NFC', { name: 'Zoe\u0308' }, 'studio_name_valid'],
    ['a name of 121 characters', { name: 'x'.repeat(121) }, 'studio_name_valid'],
    ['a country in small letters', { country: 'de' }, 'studio_country_valid'],
    ['a website that is no web address', { website: 'javascript:alert(1)' }, 'studio_website_valid'],
    ['an empty reference', { external_ref: '' }, 'studio_external_ref_valid'],
  ] as const)('refuses %s', async (_, values, constraint) => {
    await expectRefused(client, constraint, () => insertStudio(client, values))
  })

  it('counts characters, not bytes or halves of a pair', async () => {
    await insertStudio(client, { name: '🎮'.repeat(120) })
    await expectRefused(client, 'studio_name_valid', () => insertStudio(client, { name: '🎮'.repeat(121) }))
  })

  it('refuses a second studio with the slug or the reference of another', async () => {
    await insertStudio(client, { slug: 'taken', external_ref: 'ref-1' })
    await expectRefused(client, 'studio_slug_key', () => insertStudio(client, { slug: 'taken' }))
    await expectRefused(client, 'studio_external_ref_key', () => insertStudio(client, { external_ref: 'ref-1' }))
  })

  it('counts two transitions as two versions', async () => {
    const id = await insertStudio(client)
    await run("UPDATE studio SET status = 'in_review' WHERE id = $1", id)
    await insertMembership(client, id, await insertOwner(client))
    await run("UPDATE studio SET status = 'active' WHERE id = $1", id)
    expect(await versionOf('studio', id)).toBe(3)
  })

  it('an active studio without owner does not pass the commit', async () => {
    await expectRefused(client, 'studio_has_owner', () => insertStudio(client, { status: 'active' }))
    await expectRefused(client, 'studio_has_owner', () => insertStudio(client, { status: 'suspended' }))
  })

  it('an active studio and its owner may arrive in one transaction, the studio first', async () => {
    const { studioId } = await insertActiveStudio(client)
    expect(await versionOf('studio', studioId)).toBe(1)
  })

  it.each([
    ['an administrator', { role: 'admin' }],
    ['an invited owner', { status: 'invited' }],
    ['an owner who has left', { status: 'left', left_at: '2026-01-01' }],
  ])('%s is not an owner for an active studio', async (_, membership) => {
    await expectRefused(client, 'studio_has_owner', async () => {
      const studioId = await insertStudio(client, { status: 'active' })
      await insertMembership(client, studioId, await insertOwner(client), membership)
    })
  })

  it('the last owner of an active studio cannot leave, become something else, be disabled or move away', async () => {
    const { studioId, ownerIds } = await insertActiveStudio(client)
    const elsewhere = await insertStudio(client)
    const membership = 'UPDATE studio_membership SET'
    await expectRefused(client, 'studio_has_owner', () =>
      run(`${membership} status = 'left', left_at = now() WHERE studio_id = $1`, studioId),
    )
    await expectRefused(client, 'studio_has_owner', () =>
      run(`${membership} role = 'admin' WHERE studio_id = $1`, studioId),
    )
    await expectRefused(client, 'studio_has_owner', () =>
      run("UPDATE studio_owner SET status = 'disabled' WHERE id = $1", ownerIds[0]),
    )
    await expectRefused(client, 'studio_has_owner', () =>
      run(`${membership} studio_id = $2 WHERE studio_id = $1`, studioId, elsewhere),
    )
  })

  it('one of two owners may leave, and in one transaction the last one may be replaced', async () => {
    const { studioId, ownerIds } = await insertActiveStudio(client, 2)
    const leave = "UPDATE studio_membership SET status = 'left', left_at = now() WHERE studio_id = $1 AND owner_id = $2"
    await run(leave, studioId, ownerIds[0])
    await run('BEGIN')
    await run(leave, studioId, ownerIds[1])
    await insertMembership(client, studioId, await insertOwner(client))
    await run('COMMIT')
    const { active } = await one(
      "SELECT count(*)::int AS active FROM studio_membership WHERE studio_id = $1 AND status = 'active'",
      studioId,
    )
    expect(active).toBe(1)
  })
})

describe('owners and memberships', () => {
  it('refuses an owner without name or e-mail, and an e-mail without its key', async () => {
    await expectRefused(client, 'studio_owner_has_name_and_email', () => insertOwner(client, { full_name: null }))
    await expectRefused(client, 'studio_owner_has_name_and_email', () =>
      insertOwner(client, { email: null, email_key: null }),
    )
    await expectRefused(client, 'studio_owner_email_with_key', () => insertOwner(client, { email: null }))
  })

  it('refuses a second owner with the e-mail of another, whatever its spelling', async () => {
    await insertOwner(client, { email: 'Bo@X.io', email_key: 'bo@x.io' })
    await expectRefused(client, 'studio_owner_email_key_key', () =>
      insertOwner(client, { email: 'bo@x.io', email_key: 'bo@x.io' }),
    )
    await expectRefused(client, 'studio_owner_email_key_valid', () =>
      insertOwner(client, { email: 'Cy@X.io', email_key: 'Cy@X.io' }),
    )
  })

  it('refuses a share for a role that is not owner, and shares outside of 0 to 100', async () => {
    const studioId = await insertStudio(client)
    const ownerId = await insertOwner(client)
    const member = (values: object) => () => insertMembership(client, studioId, ownerId, { ...values })
    await expectRefused(
      client,
      'studio_membership_share_needs_owner_role',
      member({ role: 'finance', ownership_percent: 10 }),
    )
    await expectRefused(client, 'studio_membership_ownership_percent_valid', member({ ownership_percent: 0 }))
    await expectRefused(client, 'studio_membership_ownership_percent_valid', member({ ownership_percent: 100.01 }))
  })

  it('refuses a member who left without a time, and a time without having left', async () => {
    const studioId = await insertStudio(client)
    const ownerId = await insertOwner(client)
    for (const values of [{ status: 'left' }, { left_at: '2026-01-01' }]) {
      await expectRefused(client, 'studio_membership_left_with_time', () =>
        insertMembership(client, studioId, ownerId, values),
      )
    }
  })

  it('an erased owner has no personal data left and never changes again', async () => {
    const id = await insertOwner(client, { country: 'DE', external_ref: 'crm-7' })
    await expectRefused(client, 'owner_erased_has_no_personal_data', () =>
      run("UPDATE studio_owner SET status = 'erased' WHERE id = $1", id),
    )
    const empty = 'full_name = NULL, email = NULL, email_key = NULL, country = NULL'
    await expectRefused(client, 'owner_erased_has_no_personal_data', () =>
      run(`UPDATE studio_owner SET status = 'erased', ${empty} WHERE id = $1`, id),
    )
    await run(`UPDATE studio_owner SET status = 'erased', ${empty}, external_ref = NULL WHERE id = $1`, id)
    await expectRefused(client, 'owner_erased_is_final', () =>
      run("UPDATE studio_owner SET auth_subject = 'x' WHERE id = $1", id),
    )
  })
})

describe('the slug of a studio', () => {
  it('stays while accounts are linked under it', async () => {
    const id = await insertStudio(client, { slug: 'linked-slug' })
    const identity = await insertIdentity(client, { provider: 'studio', namespace: 'linked-slug', subject: '1' })
    const rename = () => run("UPDATE studio SET slug = 'renamed-slug' WHERE id = $1", id)
    await expectRefused(client, 'studio_slug_linked', rename)
    await run("UPDATE studio SET slug = 'linked-slug', name = 'Other' WHERE id = $1", id)
    await run('UPDATE player_identity SET subject = NULL, unlinked_at = now() WHERE id = $1', identity)
    await rename()
  })
})

describe('games', () => {
  it('refuses a public state without date, age and genre', async () => {
    for (const status of ['early_access', 'released', 'delisted', 'retired']) {
      for (const missing of [{ min_age: null }, { genres: '{}' }, { release_precision: 'month' }]) {
        await expectRefused(client, 'game_public_needs_facts', () =>
          insertGame(client, { ...PUBLIC_FACTS, status, ...missing }),
        )
      }
    }
    await insertGame(client, { ...PUBLIC_FACTS, status: 'released' })
  })

  it('refuses a date with precision tba, and a precision without date', async () => {
    await expectRefused(client, 'game_date_matches_precision', () => insertGame(client, { release_date: '2026-11-01' }))
    await expectRefused(client, 'game_date_matches_precision', () =>
      insertGame(client, { release_precision: 'quarter' }),
    )
  })

  it('refuses six genres, an age above 21 and a studio that does not exist', async () => {
    await expectRefused(client, 'game_genres_valid', () =>
      insertGame(client, { genres: '{rpg,action,puzzle,card,idle,party}' }),
    )
    await expectRefused(client, 'game_min_age_valid', () => insertGame(client, { min_age: 22 }))
    const orphan = await expectRefused(client, 'game_studio_id_fkey', () =>
      insertGame(client, { studio_id: randomUUID() }),
    )
    expect(orphan).toMatchObject({ kind: 'foreign-key', inUse: false, table: 'game', columns: ['studio_id'] })
  })

  it('goes from draft to released in six steps and seven versions', async () => {
    const id = await insertGame(client)
    for (const status of ['submitted', 'in_review', 'approved', 'announced']) {
      await run('UPDATE game SET status = $2 WHERE id = $1', id, status)
    }
    await run(
      "UPDATE game SET release_date = '2026-11-01', release_precision = 'day', min_age = 12, genres = '{rpg}' WHERE id = $1",
      id,
    )
    await run("UPDATE game SET status = 'released' WHERE id = $1", id)
    expect(await versionOf('game', id)).toBe(7)
  })

  it('refuses a store id without a store, and the same one twice on one platform', async () => {
    const [first, second] = [await insertGame(client), await insertGame(client)]
    const steam = { platform: 'windows', store: 'steam', store_app_id: '480' }
    await expectRefused(client, 'game_platform_app_id_needs_store', () =>
      insert(client, 'game_platform', { game_id: first, platform: 'linux', store_app_id: '480' }),
    )
    await insert(client, 'game_platform', { game_id: first, ...steam })
    await expectRefused(client, 'game_platform_store_store_app_id_platform_key', () =>
      insert(client, 'game_platform', { game_id: second, ...steam }),
    )
    await insert(client, 'game_platform', { game_id: second, ...steam, platform: 'linux' })
  })

  it('refuses a platform that is delisted before or without its release', async () => {
    const game_id = await insertGame(client)
    for (const released_on of [null, '2026-02-01']) {
      await expectRefused(client, 'game_platform_delisted_after_release', () =>
        insert(client, 'game_platform', { game_id, platform: 'web', released_on, delisted_on: '2026-01-01' }),
      )
    }
  })

  it('an unused platform may be removed, one with library rows may not', async () => {
    const game_id = await insertGame(client)
    await insert(client, 'game_platform', { game_id, platform: 'web' })
    await insert(client, 'game_platform', { game_id, platform: 'windows' })
    await insertPlayerGame(client, { game_id })
    expect((await run("DELETE FROM game_platform WHERE game_id = $1 AND platform = 'web'", game_id)).rowCount).toBe(1)
    const refusal = await expectRefused(client, 'player_game_game_id_platform_fkey', () =>
      run('DELETE FROM game_platform WHERE game_id = $1', game_id),
    )
    expect(refusal).toMatchObject({ kind: 'foreign-key', inUse: true })
  })
})

describe('players', () => {
  it('refuses a username in another spelling of one that is taken', async () => {
    await insertPlayer(client, { username: 'Straße', username_key: 'strasse' })
    await expectRefused(client, 'player_username_key_key', () =>
      insertPlayer(client, { username: 'STRASSE', username_key: 'strasse' }),
    )
  })

  it.each([
    ['that is not folded', 'Bob'],
    ['with white space', 'bo b'],
    ['with a control character', 'bo\u0007b'],
    ['that is not NFKC', 'ﬁsh'],
    ['of two characters', 'bo'],
    ['of 97 characters', 'x'.repeat(97)],
  ])('refuses a username key %s', async (_, username_key) => {
    await expectRefused(client, 'player_username_key_valid', () => insertPlayer(client, { username_key }))
  })

  it('refuses an unfolded e-mail key, a verification without e-mail and one e-mail twice', async () => {
    await expectRefused(client, 'player_email_key_valid', () =>
      insertPlayer(client, { email: 'A@b.co', email_key: 'A@b.co' }),
    )
    await expectRefused(client, 'player_verified_needs_email', () =>
      insertPlayer(client, { email_verified_at: '2026-01-01' }),
    )
    await insertPlayer(client, { email: 'A@b.co', email_key: 'a@b.co' })
    await expectRefused(client, 'player_email_key_key', () =>
      insertPlayer(client, { email: 'a@b.co', email_key: 'a@b.co' }),
    )
  })

  it('refuses a birth date that nobody alive has', async () => {
    for (const birth_date of ['1900-01-01', '-infinity', 'infinity']) {
      await expectRefused(client, 'player_birth_date_valid', () => insertPlayer(client, { birth_date }))
    }
  })

  it('an erased player has no personal data left and never changes again', async () => {
    const id = await insertPlayer(client, { email: 'e@x.io', email_key: 'e@x.io', display_name: 'E', country: 'DE' })
    await run("UPDATE player SET status = 'erasure_pending' WHERE id = $1", id)
    const erase = (columns: string) => () =>
      run(`UPDATE player SET status = 'erased', erased_at = now()${columns} WHERE id = $1`, id)
    const name = "'erased-' || substr(replace(id::text, '-', ''), 8, 25)"
    const empty = ', display_name = NULL, email = NULL, email_key = NULL, country = NULL'
    await expectRefused(client, 'player_erased_has_no_personal_data', erase(''))
    await expectRefused(client, 'player_erased_has_no_personal_data', erase(`${empty}, username_key = ${name}`))
    await expectRefused(client, 'player_erased_with_time', () =>
      run(`UPDATE player SET status = 'erased', username = ${name}, username_key = ${name}${empty} WHERE id = $1`, id),
    )
    await erase(`${empty}, username = ${name}, username_key = ${name}`)()
    await expectRefused(client, 'player_erased_is_final', () =>
      run("UPDATE player SET display_name = 'x' WHERE id = $1", id),
    )
    await run('UPDATE player SET username = username WHERE id = $1', id)
  })
})

describe('identities', () => {
  it.each([
    ['a Steam id of the wrong form', { subject: '123' }, 'player_identity_steam_subject_valid'],
    ['a subject with white space', { provider: 'epic', subject: 'a b' }, 'player_identity_subject_valid'],
    [
      'a studio identity without namespace',
      { provider: 'studio', subject: 'x1' },
      'player_identity_studio_with_namespace',
    ],
    ['a namespace elsewhere', { namespace: 'acme' }, 'player_identity_studio_with_namespace'],
    ['a linked row without subject', { subject: null }, 'player_identity_unlinked_without_subject'],
    ['an unlinked row with subject', { unlinked_at: '2026-01-01' }, 'player_identity_unlinked_without_subject'],
    [
      'an unlinked row with a name',
      { subject: null, provider_name: 'x', unlinked_at: '2026-01-01' },
      'player_identity_unlinked_without_name',
    ],
  ] as const)('refuses %s', async (_, values, constraint) => {
    await expectRefused(client, constraint, () => insertIdentity(client, values))
  })

  it('an unlinked account is free to be linked again, also by somebody else', async () => {
    const subject = '76561198999999999'
    const id = await insertIdentity(client, { subject })
    await expectRefused(client, 'player_identity_provider_namespace_subject_key', () =>
      insertIdentity(client, { subject }),
    )
    await run('UPDATE player_identity SET subject = NULL, unlinked_at = now() WHERE id = $1', id)
    await insertIdentity(client, { subject })
  })
})

describe('the library', () => {
  it('refuses a platform that the game is not on, and the same one twice', async () => {
    const game_id = await insertGame(client)
    await insert(client, 'game_platform', { game_id, platform: 'windows' })
    const player_id = await insertPlayer(client)
    const refusal = await expectRefused(client, 'player_game_game_id_platform_fkey', () =>
      insertPlayerGame(client, { game_id, player_id, platform: 'linux' }),
    )
    expect(refusal).toMatchObject({ kind: 'foreign-key', inUse: false })
    await insertPlayerGame(client, { game_id, player_id })
    await expectRefused(client, 'player_game_player_id_game_id_platform_key', () =>
      insertPlayerGame(client, { game_id, player_id }),
    )
  })

  it.each([
    ['an end before its beginning', { expires_at: '2025-01-01' }, 'player_game_expires_after_acquired'],
    ['a revocation without reason', { revoked_at: '2026-02-01' }, 'player_game_revoked_with_reason'],
    ['an unknown reason', { revoked_at: '2026-02-01', revoke_reason: 'mood' }, 'player_game_revoke_reason_valid'],
    ['negative playtime', { playtime_seconds: -1 }, 'player_game_playtime_seconds_valid'],
    [
      'a first play after the last',
      { first_played_at: '2026-03-01', last_played_at: '2026-02-01' },
      'player_game_first_played_before_last',
    ],
    ['a first play without a last', { first_played_at: '2026-03-01' }, 'player_game_first_played_before_last'],
  ] as const)('refuses %s', async (_, values, constraint) => {
    await expectRefused(client, constraint, () => insertPlayerGame(client, values))
  })

  it('a playtime report keeps the version, a revocation does not, repeating it does', async () => {
    const id = await insertPlayerGame(client, { updated_at: '2026-01-01T00:00:00Z' })
    const row = () => one('SELECT version, updated_at FROM player_game WHERE id = $1', id)
    const before = await row()
    await run(
      'UPDATE player_game SET playtime_seconds = 2147483648, first_played_at = now(), last_played_at = now() WHERE id = $1',
      id,
    )
    const played = await row()
    expect(played.version).toBe(1)
    expect(played.updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime())
    await run("UPDATE player_game SET revoked_at = now(), revoke_reason = 'refund' WHERE id = $1", id)
    const revoked = await row()
    expect(revoked.version).toBe(2)
    await run("UPDATE player_game SET revoke_reason = 'refund' WHERE id = $1", id)
    expect(await row()).toEqual(revoked)
  })
})

describe('versions and times', () => {
  it('belong to the database: what a writer says about them does not count', async () => {
    const id = await insertStudio(client, { version: 41, updated_at: '2026-01-01T00:00:00Z' })
    const before = await one('SELECT version, created_at, updated_at FROM studio WHERE id = $1', id)
    expect(before.version).toBe(1)
    await run("UPDATE studio SET version = 99, created_at = '2000-01-01', updated_at = '2000-01-01' WHERE id = $1", id)
    expect(await one('SELECT version, created_at, updated_at FROM studio WHERE id = $1', id)).toEqual(before)
    await run("UPDATE studio SET version = 99, created_at = '2000-01-01', name = 'New' WHERE id = $1", id)
    const after = await one('SELECT version, created_at, updated_at FROM studio WHERE id = $1', id)
    expect(after).toMatchObject({ version: 2, created_at: before.created_at })
    expect(after.updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime())
  })

  it('an update that changes nothing changes neither, on every table', async () => {
    await insertMembership(client, await insertStudio(client), await insertOwner(client))
    await insertPlayerGame(client)
    await insertIdentity(client)
    for (const table of ['studio', 'studio_owner', 'studio_membership', 'game', 'game_platform', 'player_identity']) {
      const sum = `SELECT sum(version)::int AS versions, max(updated_at) AS latest FROM ${table}`
      const before = await one(sum)
      expect((await run(`UPDATE ${table} SET created_at = created_at`)).rowCount).toBeGreaterThan(0)
      expect(await one(sum), table).toEqual(before)
    }
  })

  it('the time of the status changes with the status alone', async () => {
    const id = await insertStudio(client, { status_changed_at: '2026-01-01T00:00:00Z' })
    await run("UPDATE studio SET name = 'Other', status_changed_at = now() WHERE id = $1", id)
    const { status_changed_at } = await one('SELECT status_changed_at FROM studio WHERE id = $1', id)
    expect(status_changed_at).toEqual(new Date('2026-01-01T00:00:00Z'))
    await run("UPDATE studio SET status = 'in_review' WHERE id = $1", id)
    const row = await one('SELECT status_changed_at = updated_at AS same FROM studio WHERE id = $1', id)
    expect(row.same).toBe(true)
  })
})

describe('what stays', () => {
  const kept = ['studio', 'studio_owner', 'studio_membership', 'game', 'player', 'player_identity', 'player_game']

  it.each(kept)('a row of %s is never deleted', async (table) => {
    await insertMembership(client, await insertStudio(client), await insertOwner(client))
    await insertPlayerGame(client)
    await insertIdentity(client)
    await expectRefused(client, { kind: 'refused', table }, () => run(`DELETE FROM ${table}`))
  })

  it.each([...kept, 'game_platform', 'audit_event'])('%s is never emptied as a whole', async (table) => {
    const refusal = await expectRefused(client, { kind: 'refused' }, () => run(`TRUNCATE ${table} CASCADE`))
    expect(refusal.sqlState).toBe('55000')
  })

  it('an audit event neither changes nor goes', async () => {
    await insert(client, 'audit_event', {
      actor_type: 'system',
      actor_id: 'x',
      request_id: 'r',
      action: 'player.erase',
      entity_type: 'player',
      entity_id: 'p',
    })
    const table = 'audit_event'
    await expectRefused(client, { kind: 'refused', table }, () => run("UPDATE audit_event SET action = 'a.b'"))
    await expectRefused(client, { kind: 'refused', table }, () => run('DELETE FROM audit_event'))
  })
})

describe('the audit trail, keys and stored answers', () => {
  const event = { actor_type: 'system', actor_id: 'x', request_id: 'r', entity_id: 'p' }
  it.each([
    ['an action without verb', { action: 'player', entity_type: 'player' }, 'audit_event_action_valid'],
    ['an unknown kind of record', { action: 'a.b', entity_type: 'sheep' }, 'audit_event_entity_type_valid'],
    [
      'more than 32 KB of changes',
      { action: 'a.b', entity_type: 'game', changes: JSON.stringify({ a: 'x'.repeat(32_768) }) },
      'audit_event_changes_valid',
    ],
  ] as const)('refuses an event with %s', async (_, values, constraint) => {
    await expectRefused(client, constraint, () => insert(client, 'audit_event', { ...event, ...values }))
  })

  const key = { name: 'k', secret_hash: Buffer.alloc(32), scopes: ['players:read'], created_by: 'cli' }
  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000)
  it.each([
    ['valid for more than 366 days', { expires_at: inDays(400) }, 'api_key_expires_within_a_year'],
    ['that ends before it begins', { expires_at: inDays(-1) }, 'api_key_expires_within_a_year'],
    ['without scopes', { expires_at: inDays(1), scopes: [] }, 'api_key_scopes_valid'],
    ['with a short hash', { expires_at: inDays(1), secret_hash: Buffer.alloc(31) }, 'api_key_secret_hash_valid'],
    ['with a strange id', { expires_at: inDays(1), id: 'ABCDEFGHIJKL' }, 'api_key_id_valid'],
  ] as const)('refuses a key %s', async (_, values, constraint) => {
    await expectRefused(client, constraint, () => insert(client, 'api_key', { id: 'abcdefghijkl', ...key, ...values }))
  })

  const request = { caller_id: 'c', key: '12345678', fingerprint: Buffer.alloc(32), expires_at: inDays(1) }
  it.each([
    ['finished that still holds its lease', { locked_until: new Date(), response_status: 201 }],
    ['neither finished nor leased', {}],
  ])('refuses a request %s', async (_, values) => {
    await expectRefused(client, 'idempotency_key_leased_or_finished', () =>
      insert(client, 'idempotency_key', { ...request, ...values }),
    )
  })

  it('refuses a NULL where a value must be, by column', async () => {
    await expectRefused(client, { kind: 'not-null', table: 'studio', columns: ['name'] }, () =>
      insertStudio(client, { name: null }),
    )
  })
})

describe("the lake's control rows", () => {
  const snapshot = (id: string, state: string, more: object = {}) =>
    insert(client, 'lake_snapshots', { id, state, requested_by: 'test', ...more })
  const manifest = { manifest: '{}', manifest_sha256: 'a'.repeat(64) }

  it('let one snapshot run at a time, in whatever state', async () => {
    for (const state of ['requested', 'planning', 'uploading', 'prepared', 'committing', 'committed']) {
      await expectRefused(client, 'lake_snapshots_one_running', async () => {
        await snapshot('first', state, manifest)
        await snapshot('second', 'requested')
      })
    }
  })

  it('let the next one start when the last is over, and number them', async () => {
    const ended = [
      await snapshot('over-1', 'published', manifest),
      await snapshot('over-2', 'failed', { problem: '{}' }),
      await snapshot('over-3', 'retiring', manifest),
      await snapshot('over-4', 'retired', manifest),
    ]
    const running = await snapshot('next', 'requested')
    expect(ended.map((row) => row.running)).toEqual([null, null, null, null])
    expect(running.running).toBe(true)
    expect(BigInt(running.sequence as string)).toBeGreaterThan(BigInt(ended[3]?.sequence as string))
    await run("UPDATE lake_snapshots SET state = 'failed', problem = '{}' WHERE id = 'next'")
    await snapshot('after', 'requested')
    await run("UPDATE lake_snapshots SET state = 'failed', problem = '{}' WHERE id = 'after'")
  })

  it('refuse a prepared snapshot without manifest, and a failed one without problem', async () => {
    await expectRefused(client, 'lake_snapshots_prepared_needs_manifest', () => snapshot('p', 'prepared'))
    await expectRefused(client, 'lake_snapshots_failed_needs_problem', () => snapshot('f', 'failed'))
    await expectRefused(client, 'lake_snapshots_manifest_with_sha256', () =>
      snapshot('m', 'requested', { manifest: '{}' }),
    )
  })

  it('have exactly one lease, free from the start', async () => {
    expect((await run('SELECT id, owner, fence, expires_at < now() AS free FROM lake_lease')).rows).toEqual([
      { id: 1, owner: null, fence: '0', free: true },
    ])
    await expectRefused(client, 'lake_lease_one_row', () =>
      insert(client, 'lake_lease', { id: 2, expires_at: new Date() }),
    )
  })

  it('keep a snapshot that is held', async () => {
    await snapshot('held', 'published', manifest)
    await insert(client, 'lake_holds', {
      id: randomUUID(),
      snapshot_id: 'held',
      holder: 'job',
      reason: 'reads it',
      expires_at: new Date(Date.now() + 60_000),
    })
    const refusal = await expectRefused(client, 'lake_holds_snapshot_id_fkey', () =>
      run("DELETE FROM lake_snapshots WHERE id = 'held'"),
    )
    expect(refusal.inUse).toBe(true)
  })
})
