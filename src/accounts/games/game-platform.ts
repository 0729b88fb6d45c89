import type { FieldError } from '../../errors.ts'

export const PLATFORMS = [
  'windows',
  'macos',
  'linux',
  'ps4',
  'ps5',
  'xbox_one',
  'xbox_series',
  'switch',
  'switch_2',
  'ios',
  'android',
  'web',
] as const
export type Platform = (typeof PLATFORMS)[number]

/** Where a game ships. Library rows refer to it, so nobody owns a game on a platform that it is not on. */
export interface GamePlatform {
  readonly gameId: string
  readonly platform: Platform
  /** Short name of the store, such as `steam`; empty: none. */
  readonly store: string
  /** The store's own key of the game; unique by store and platform. */
  readonly storeAppId: string | null
  readonly releasedOn: string | null
  readonly delistedOn: string | null
  readonly version: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The facts of a platform as a caller puts them: all of them, replaced as a whole. */
export type GamePlatformFacts = Pick<GamePlatform, 'store' | 'storeAppId' | 'releasedOn' | 'delistedOn'>

/** Facts that contradict each other. */
export function contradictions({ store, storeAppId, releasedOn, delistedOn }: GamePlatformFacts): FieldError[] {
  const errors: FieldError[] = []
  if (storeAppId !== null && store === '') {
    errors.push({ pointer: '/store', code: 'required', detail: 'storeAppId needs the store that it belongs to' })
  }
  if (delistedOn !== null && releasedOn === null) {
    errors.push({ pointer: '/releasedOn', code: 'required', detail: 'delistedOn needs the day of the release' })
  } else if (delistedOn !== null && releasedOn !== null && delistedOn < releasedOn) {
    errors.push({ pointer: '/delistedOn', code: 'before-release', detail: 'must not be before releasedOn' })
  }
  return errors
}
