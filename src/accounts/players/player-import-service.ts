import type { RawClient } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { auditRows } from '../audit/audit-bulk-store.ts'
import { type BulkFacts, type BulkItem, judged } from '../bulk/bulk-item.ts'
import { type KeysOf, Matcher, RowIndex } from '../bulk/bulk-match.ts'
import { datedFields, type PrepareNew } from '../bulk/bulk-queue-service.ts'
import { insertRows, tableRows, updateRows } from '../bulk/bulk-row-store.ts'
import type { ApplyBatch } from '../bulk/bulk-service.ts'
import { auditPlans, type BulkTable, writePlans } from '../bulk/bulk-write-service.ts'
import type { Identity } from './identity.ts'
import { type IdentityKey, type IdentitySurroundings, identityText } from './identity-import.ts'
import type { Player } from './player.ts'
import { findIdentitiesBy, holdStudioIds, lockPlayersOf } from './player-bulk-store.ts'
import { type PlayerLine, type PlayerPlan, planPlayer } from './player-import.ts'

const names = ['username', 'usernameKey', 'displayName']
const contact = ['email', 'emailKey', 'emailVerifiedAt']
const fields = [...names, ...contact, 'birthDate', 'country', 'locale', 'status', 'closedAt']

const table: BulkTable = {
  table: 'player',
  inserted: ['id', ...fields, 'createdAt'],
  updated: fields,
  order: 'usernameKey',
}

const IDENTITY_FIELDS = ['providerName', 'verifiedAt', 'linkedAt']
const IDENTITY_KEY = ['id', 'playerId', 'provider', 'namespace', 'subject']

/** What is there of what the lines of a batch name. */
interface Found {
  readonly players: readonly Player[]
  readonly identities: readonly Identity[]
  readonly studioIds: ReadonlyMap<string, string>
}

/** Brings players and their accounts elsewhere in. */
export const applyPlayers: ApplyBatch<PlayerLine> = async (client, items, facts) => {
  const lines = items.map(({ line }) => line)
  const keys = lines.flatMap(({ identities = [] }) => identities)
  const { players, identities } = await lockWithIdentities(client, lines, keys)
  const slugs = keys.filter(({ provider }) => provider === 'studio').map(({ namespace }) => namespace)
  const studioIds = await holdStudioIds(client, slugs)
  const plans = planPlayers(items, facts, { players, identities, studioIds })
  const outcomes = await writePlans(client, table, plans)
  await writeIdentities(client, plans)
  await auditPlans(client, facts, plans)
  return outcomes
}

/** New players, unless a line needs a look at what is there: at a studio whose accounts it names, or at the present time. */
export const preparePlayers: PrepareNew<PlayerLine> = (items, facts) => {
  const plans = planPlayers(items, facts, { players: [], identities: [], studioIds: new Map() })
  const made = plans.filter((plan): plan is PlayerPlan => !(plan instanceof AppError))
  if (made.length < plans.length) return undefined
  const rows = made.map(({ row }) => row)
  const identities = made.flatMap((plan) => plan.identities.added)
  const filled = datedFields(rows, table.inserted, facts)
  const linked = datedFields(identities, [...IDENTITY_KEY, ...IDENTITY_FIELDS], facts)
  if (filled === undefined || linked === undefined) return undefined
  const parts = [tableRows('player', filled, rows), tableRows('player_identity', linked, identities)]
  const events = made.flatMap((plan) => plan.events)
  return {
    parts: [...parts, auditRows(facts.context, events)],
    outcomes: rows.map(({ id, version }) => ({ status: 'created', id, version })),
    keys: [...rows.flatMap(keysOf), ...identities.map((identity) => `identity:${textOf(identity)}`)],
  }
}

function keysOf({ usernameKey, emailKey }: Player): string[] {
  return emailKey === null ? [`username:${usernameKey}`] : [`username:${usernameKey}`, `email:${emailKey}`]
}

function planPlayers(
  items: readonly BulkItem<PlayerLine>[],
  facts: BulkFacts,
  { players, identities, studioIds }: Found,
): (PlayerPlan | AppError)[] {
  const linked = new Map(identities.map((identity) => [textOf(identity), identity]))
  const around: IdentitySurroundings = {
    linked: (key) => linked.get(identityText(key)),
    isRehearsed: (key) => facts.rehearsed?.lineOf(`identity:${identityText(key)}`) !== undefined,
    studioIdOf: (slug) => studioIds.get(slug),
    newId: newId,
    now: facts.now,
  }
  const matcher = new Matcher(indexPlayers(players, identities), facts, playerKeys)
  return items.map((item) =>
    judged(() => {
      const plan = planPlayer(item, matcher, around, facts)
      const { added } = plan.identities
      for (const identity of added) linked.set(textOf(identity), identity)
      return matcher.settle(item, plan, { took: added.map((identity) => `identity:${textOf(identity)}`) })
    }),
  )
}

/** Both as of one moment: an import of the same players may commit between the two statements. */
async function lockWithIdentities(client: RawClient, lines: readonly PlayerLine[], keys: readonly IdentityKey[]) {
  for (;;) {
    const players = await lockPlayersOf(client, lines, keys)
    const identities = await findIdentitiesBy(client, keys)
    const locked = new Set(players.map(({ id }) => id))
    if (identities.every(({ playerId }) => locked.has(playerId))) return { players, identities }
  }
}

function indexPlayers(players: readonly Player[], identities: readonly Identity[]): RowIndex<Player> {
  const index = new RowIndex<Player>()
  for (const player of players) {
    index.add('id', player.id, player)
    for (const [name, text] of playerKeys(player)) index.add(name, text, player)
  }
  for (const identity of identities) {
    const player = index.get('id', identity.playerId)
    if (player !== undefined) index.add('identity', textOf(identity), player)
  }
  return index
}

const playerKeys: KeysOf<Player> = ({ usernameKey, emailKey }) => [
  ['username', usernameKey],
  ['email', emailKey],
]

function textOf({ provider, namespace, subject }: Identity): string {
  return identityText({ provider, namespace, subject: subject ?? '' })
}

async function writeIdentities(client: RawClient, plans: readonly (PlayerPlan | AppError)[]): Promise<void> {
  const identities = plans.flatMap((plan) => ('identities' in plan ? [plan.identities] : []))
  const added = identities.flatMap((plan) => plan.added)
  const changed = identities.flatMap((plan) => plan.changed)
  const inOrder = added.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1))
  await insertRows(client, 'player_identity', [...IDENTITY_KEY, ...IDENTITY_FIELDS], inOrder)
  await updateRows(client, 'player_identity', ['id'], IDENTITY_FIELDS, changed)
}
