import { cumulate, Dice } from './dice.ts'
import { BASE_DAYS, DAY_MS, iso, isoDate, type Period } from './period.ts'
import { ADJECTIVES, COUNTRIES, EMAIL_DOMAINS, FIRST_NAMES, NOUNS } from './vocabulary.ts'

export const PLAYER_COUNT = 20_000
/** Registrations of one day of `--advance`. */
export const NEW_PLAYERS_A_DAY = 25

export const COUNTRY_WEIGHTS = cumulate(COUNTRIES.map(([, weight]) => weight))
const STEAM_BASE = 76561197960265728n

/** When the player registered: more of them the later it gets; players of `--advance` day d within that day. */
export function registeredMs({ startMs, endMs }: Period, index: number): number {
  const dice = new Dice('registered', index)
  if (index >= PLAYER_COUNT) {
    const day = Math.floor((index - PLAYER_COUNT) / NEW_PLAYERS_A_DAY)
    return endMs + day * DAY_MS + Math.floor(dice.next() * DAY_MS)
  }
  return startMs + Math.floor(BASE_DAYS * ((index + dice.next()) / PLAYER_COUNT) ** 0.7 * DAY_MS)
}

/** Of the players with the highest index that a database holds; undefined when the subject is none of the sample's. */
export function indexOfSteamSubject(subject: string): number | undefined {
  const index = (BigInt(subject) - STEAM_BASE - 40_000_000n) / 7n
  return index >= 0n && index < 10_000_000n && steamSubject(Number(index)) === subject ? Number(index) : undefined
}

/** The identity by which library lines name the player. */
export const steamSubject = (index: number): string => String(STEAM_BASE + 40_000_000n + BigInt(index) * 7n)

function identitiesOf(index: number, dice: Dice): object[] {
  const identities: object[] = [{ provider: 'steam', subject: steamSubject(index) }]
  if (dice.chance(0.22)) identities.push({ provider: 'discord', subject: `1${dice.digits(17)}` })
  if (dice.chance(0.14)) identities.push({ provider: 'epic', subject: dice.hex(32) })
  if (dice.chance(0.1)) identities.push({ provider: 'psn', subject: dice.digits(19) })
  if (dice.chance(0.06)) identities.push({ provider: 'google', subject: `1${dice.digits(20)}` })
  return identities
}

/** The import line of a player. */
export function playerLine(period: Period, index: number): object {
  const dice = new Dice('player', index)
  const adjective = dice.pick(ADJECTIVES)
  const noun = dice.pick(NOUNS)
  const username = `${adjective}${dice.pick(['_', '-', '.', ''])}${noun}${index + 1}`
  const [country, , locales] = COUNTRIES[dice.weighted(COUNTRY_WEIGHTS)] as (typeof COUNTRIES)[number]
  const hasEmail = dice.chance(0.93)
  const verifiedAt =
    hasEmail && dice.chance(0.8) ? { emailVerifiedAt: iso(registeredMs(period, index) + 5 * 60_000) } : {}
  const isClosed = dice.chance(0.03)
  const born = period.startMs - (13 * 365 + Math.floor(dice.next() ** 1.7 * 45 * 365)) * DAY_MS
  return {
    username,
    ...(dice.chance(0.8) ? { displayName: `${dice.pick(FIRST_NAMES)} ${adjective} ${noun}` } : {}),
    ...(hasEmail ? { email: `${username}@${dice.pick(EMAIL_DOMAINS)}`, ...verifiedAt } : {}),
    ...(dice.chance(0.85) ? { birthDate: isoDate(born) } : {}),
    ...(dice.chance(0.97) ? { country, locale: dice.pick(locales) } : {}),
    status: isClosed ? 'closed' : 'active',
    identities: identitiesOf(index, dice),
    createdAt: iso(registeredMs(period, index)),
  }
}

export function* players(period: Period, from = 0, to = PLAYER_COUNT): Generator<object> {
  for (let i = from; i < to; i++) yield playerLine(period, i)
}
