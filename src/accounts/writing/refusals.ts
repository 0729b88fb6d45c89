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
  owner_erased_is_final: { code: 'conflict', detail: 'The owner was erased; nothing about them can change' },
}
