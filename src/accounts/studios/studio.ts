import type { Lifecycle } from '../lifecycle/lifecycle.ts'

export const STUDIO_STATUSES = ['prospect', 'in_review', 'active', 'suspended', 'rejected', 'closed'] as const
export type StudioStatus = (typeof STUDIO_STATUSES)[number]

/** A partner company, from first contact to closed. Fields are the columns in camelCase. */
export interface Studio {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly legalName: string | null
  readonly country: string | null
  readonly website: string | null
  readonly status: StudioStatus
  readonly statusChangedAt: Date
  readonly externalRef: string | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A studio that may be created: checked and normalised, nothing looked up yet. */
export type StudioDraft = Pick<Studio, 'slug' | 'name' | 'legalName' | 'country' | 'website' | 'externalRef'>

/** All that a caller who keys studios by a reference of their own says about one: what is absent is emptied. */
export type StudioReplacement = Omit<StudioDraft, 'externalRef'>

/** The fields to change; absent ones stay. */
export type StudioPatch = Partial<StudioDraft>

export const STUDIO_LIFECYCLE: Lifecycle<StudioStatus> = {
  prospect: ['in_review', 'rejected', 'closed'],
  in_review: ['active', 'rejected', 'prospect'],
  active: ['suspended', 'closed'],
  suspended: ['active', 'closed'],
  rejected: ['prospect'],
  closed: [],
}

/** Games in other states keep their studio from closing. */
export const GAME_STATUSES_OF_A_CLOSED_STUDIO = ['draft', 'rejected', 'withdrawn', 'cancelled', 'retired'] as const

/** What the steps of a studio depend on besides its own row. */
export interface StudioFacts {
  readonly hasActiveOwner: boolean
  /** Games in a state that a closed studio cannot have. */
  readonly openGames: number
}

/** What a step still needs: `active-owner`, `games-ended`. */
export function missingForStudio(to: StudioStatus, facts: StudioFacts): string[] {
  const missing: string[] = []
  if ((to === 'active' || to === 'suspended') && !facts.hasActiveOwner) missing.push('active-owner')
  if (to === 'closed' && facts.openGames > 0) missing.push('games-ended')
  return missing
}
