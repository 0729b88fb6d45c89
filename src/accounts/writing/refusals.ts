import type { ErrorCode } from '../../errors.ts'

/** How a rule of the database is told to a caller. */
export interface Refusal {
  readonly code: ErrorCode
  readonly detail: string
  /** The field of the body that the rule is about. */
  readonly pointer?: string
}

/**
 * The rules that a caller can run into, by the name of the constraint. The service looks first, to give a good error; between
 * its look and the commit another request may win, and then the database's refusal says the same. A rule without an entry is
 * one that validation keeps callers away from: if it speaks all the same, that is a defect.
 */
export const refusals: Readonly<Record<string, Refusal>> = {
  studio_slug_key: { code: 'slug-taken', detail: 'Another studio has this slug', pointer: '/slug' },
  studio_external_ref_key: {
    code: 'conflict',
    detail: 'Another studio has this external reference',
    pointer: '/externalRef',
  },
  studio_slug_linked: {
    code: 'conflict',
    detail:
      'The slug cannot change while accounts of players are linked under it (provider studio, namespace: the slug)',
    pointer: '/slug',
  },
  studio_has_owner: {
    code: 'last-owner',
    detail: 'An active or suspended studio needs at least one active owner; add one first',
  },
  studio_owner_email_key_key: { code: 'email-taken', detail: 'Another owner has this address', pointer: '/email' },
  studio_owner_auth_subject_key: {
    code: 'conflict',
    detail: 'Another owner has this subject',
    pointer: '/authSubject',
  },
  studio_owner_external_ref_key: {
    code: 'conflict',
    detail: 'Another owner has this external reference',
    pointer: '/externalRef',
  },
  game_slug_key: { code: 'slug-taken', detail: 'Another game has this slug', pointer: '/slug' },
  game_external_ref_key: {
    code: 'conflict',
    detail: 'Another game has this external reference',
    pointer: '/externalRef',
  },
  game_platform_store_store_app_id_platform_key: {
    code: 'conflict',
    detail: "Another game has this store's key on this platform",
    pointer: '/storeAppId',
  },
  // Grants look for the platform under a lock on the game, so only a platform that is to go can meet this rule.
  player_game_game_id_platform_fkey: {
    code: 'in-use',
    detail: 'Players own the game on this platform; set delistedOn instead of removing it',
  },
  player_username_key_key: { code: 'username-taken', detail: 'Another player has this username', pointer: '/username' },
  player_email_key_key: { code: 'email-taken', detail: 'Another player has this address', pointer: '/email' },
  player_identity_provider_namespace_subject_key: {
    code: 'identity-taken',
    detail: 'This account is linked to a player already',
    pointer: '/subject',
  },
  player_erased_is_final: { code: 'conflict', detail: 'The player was erased; nothing about them can change' },
  owner_erased_is_final: { code: 'conflict', detail: 'The owner was erased; nothing about them can change' },
}
