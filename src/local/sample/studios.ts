import { Dice } from './dice.ts'
import { DAY_MS, iso, type Period } from './period.ts'
import { ADJECTIVES, COUNTRIES, EMAIL_DOMAINS, FIRST_NAMES, LAST_NAMES, NOUNS, STUDIO_WORDS } from './vocabulary.ts'

export const STUDIO_COUNT = 30

/** Where each studio ends up; those not named are active. Games are loaded while their studio is still active. */
const FINAL_STATUS: Readonly<Record<number, string>> = {
  24: 'in_review',
  25: 'in_review',
  26: 'prospect',
  27: 'rejected',
  28: 'suspended',
  29: 'closed',
}

export const finalStudioStatus = (index: number): string => FINAL_STATUS[index] ?? 'active'
/** The status while the games are loaded: a suspended or closed studio was an active one before. */
const loadingStatus = (index: number): string => (index >= 28 ? 'active' : finalStudioStatus(index))

export const studioRef = (index: number): string => `sample-studio-${index + 1}`
const ownerRef = (index: number): string => `sample-owner-${index + 1}`
/** The first record that goes in, and the one that the last step closes. */
export const firstOwnerRef = ownerRef(0)
export const lastStudioRef = studioRef(STUDIO_COUNT - 1)
const ownerEmail = (index: number): string => `owner-${index + 1}@studio.${EMAIL_DOMAINS[index % EMAIL_DOMAINS.length]}`

const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

function studioName(index: number): string {
  const dice = new Dice('studio', index)
  return `${title(dice.pick(ADJECTIVES))} ${title(NOUNS[(index * 7) % NOUNS.length] as string)} ${dice.pick(STUDIO_WORDS)}`
}

/** One owner a studio, and a second one for every third studio. */
export function* owners({ startMs }: Period): Generator<object> {
  for (let i = 0; i < STUDIO_COUNT + STUDIO_COUNT / 3; i++) {
    const dice = new Dice('owner', i)
    yield {
      fullName: `${dice.pick(FIRST_NAMES)} ${dice.pick(LAST_NAMES)}`,
      email: ownerEmail(i),
      country: dice.pick(COUNTRIES)[0],
      externalRef: ownerRef(i),
      createdAt: iso(startMs + dice.between(0, 200) * DAY_MS),
    }
  }
}

function studioLine({ startMs }: Period, index: number, status: string): object {
  const dice = new Dice('studio-line', index)
  const name = studioName(index)
  const slug = name.toLowerCase().replaceAll(' ', '-')
  const members: object[] = [
    {
      owner: { email: ownerEmail(index) },
      role: 'owner',
      status: 'active',
      ownershipPercent: index % 3 === 0 ? 60 : 100,
    },
  ]
  if (index % 3 === 0) {
    members.push({
      owner: { email: ownerEmail(STUDIO_COUNT + index / 3) },
      role: 'owner',
      status: 'active',
      ownershipPercent: 40,
    })
  }
  return {
    slug,
    name,
    legalName: `${name} Ltd.`,
    country: dice.pick(COUNTRIES)[0],
    website: `https://${slug}.example/`,
    status,
    externalRef: studioRef(index),
    members,
    createdAt: iso(startMs + dice.between(0, 250) * DAY_MS),
  }
}

export function* studios(period: Period): Generator<object> {
  for (let i = 0; i < STUDIO_COUNT; i++) yield studioLine(period, i, loadingStatus(i))
}

/** After the games are in: the studios that were suspended or closed since. */
export function* laterStudios(period: Period): Generator<object> {
  for (let i = 28; i < STUDIO_COUNT; i++) yield studioLine(period, i, finalStudioStatus(i))
}
