import type { RawClient } from '../../database/database.ts'
import type { AppError } from '../../errors.ts'
import { newId } from '../../identifier.ts'
import { judged } from '../bulk/bulk-item.ts'
import { type KeysOf, Matcher, RowIndex } from '../bulk/bulk-match.ts'
import { insertRows, updateRows } from '../bulk/bulk-row-store.ts'
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

/** Brings players and their accounts elsewhere in. */
export const applyPlayers: ApplyBatch<PlayerLine> = async (client, items, facts) => {
  const lines = items.map(({ line }) => line)
  const keys = lines.flatMap(({ identities = [] }) => identities)
  const { players, identities } = await lockWithIdentities(client, lines, keys)
  const slugs = keys.filter(({ provider }) => provider === 'studio').map(({ namespace }) => namespace)
  const studioIds = await holdStudioIds(client, slugs)
  const linked = new Map(identities.map((identity) => [textOf(identity), identity]))
  const around: IdentitySurroundings = {
    linked: (key) => linked.get(identityText(key)),
    isRehearsed: (key) => facts.rehearsed?.lineOf(`identity:${identityText(key)}`) !== undefined,
    studioIdOf: (slug) => studioIds.get(slug),
    newId: newId,
    now: facts.now,
  }
  const matcher = new Matcher(indexPlayers(players, identities), facts, playerKeys)
  const plans = items.map((item) =>
    judged(() => {
      const plan = planPlayer(item, matcher, around, facts)
      const { added } = plan.identities
      for (const identity of added) linked.set(textOf(identity), identity)
      return matcher.settle(item, plan, { took: added.map((identity) => `identity:${textOf(identity)}`) })
    }),
  )
  const outcomes = await writePlans(client, table, plans)
  await writeIdentities(client, plans)
  await auditPlans(client, facts, plans)
  return outcomes
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
