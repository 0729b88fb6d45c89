import { z } from 'zod'
import { transitionBody, transitionsSchema } from '../lifecycle/lifecycle-schema.ts'
import { today } from '../text/calendar-date.ts'
import type { Email } from '../text/email.ts'
import { parseDisplayName } from '../text/line.ts'
import {
  countryField,
  dayField,
  emailField,
  instantField,
  localeField,
  ruled,
  usernameField,
} from '../text/text-schema.ts'
import type { Username } from '../text/username.ts'
import type { IdentityDraft } from './identity.ts'
import { newIdentitySchema } from './identity-schema.ts'
import {
  contradictionsOf,
  FIRST_BIRTH_DATE,
  PLAYER_STATUSES,
  type Player,
  type PlayerDraft,
  type PlayerPatch,
  type PlayerStatus,
} from './player.ts'

const birthDateField = dayField.meta({ example: '1998-07-14' }).superRefine((day, context) => {
  const refuse = (code: string, message: string) => context.addIssue({ code: 'custom', message, params: { code } })
  if (day < FIRST_BIRTH_DATE) refuse('too-early', `${FIRST_BIRTH_DATE} or later`)
  else if (day > today()) refuse('too-late', 'must not be in the future')
})

const fields = {
  username: usernameField,
  displayName: ruled(parseDisplayName, { minLength: 1, maxLength: 64, example: 'Nova ✦' }).nullable(),
  email: emailField.nullable(),
  emailVerifiedAt: instantField.nullable(),
  birthDate: birthDateField.nullable(),
  country: countryField.nullable(),
  locale: localeField.nullable(),
}

/** The player in the body of a `POST` and in an import line, both with more beside it. Put `playerColumns` and `withoutContradictions` after it. */
export const newPlayerFields = {
  ...fields,
  displayName: fields.displayName.default(null),
  email: fields.email.default(null),
  emailVerifiedAt: fields.emailVerifiedAt.default(null),
  birthDate: fields.birthDate.default(null),
  country: fields.country.default(null),
  locale: fields.locale.default(null),
}

interface Parsed {
  readonly username?: Username | undefined
  readonly email?: Email | null | undefined
}

/** Name and address, each with its key, as the columns that hold them; absent ones stay absent. */
export function playerColumns<T extends Parsed>({ username, email, ...rest }: T) {
  return {
    ...rest,
    ...(username === undefined ? {} : { username: username.name, usernameKey: username.key }),
    ...(email === undefined ? {} : { email: email?.address ?? null, emailKey: email?.key ?? null }),
  }
}

/** A check for new players, after `playerColumns`. */
export function withoutContradictions(
  player: Pick<Player, 'email' | 'emailVerifiedAt'>,
  context: z.RefinementCtx,
): void {
  for (const { pointer, code, detail } of contradictionsOf(player)) {
    context.addIssue({ code: 'custom', path: [pointer?.slice(1) ?? ''], message: detail ?? '', params: { code } })
  }
}

/** Enough for every provider and then some. */
const MAX_NEW_IDENTITIES = 20

/** Otherwise the second one would be refused as that of another player. */
function withoutDuplicates(identities: readonly IdentityDraft[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  identities.forEach(({ provider, namespace, subject }, index) => {
    const key = JSON.stringify([provider, namespace, subject])
    if (seen.has(key)) {
      context.addIssue({ code: 'custom', path: [index], message: 'is repeated', params: { code: 'duplicate' } })
    }
    seen.add(key)
  })
}

/** Body of a `POST`: a player, and accounts elsewhere to link at once. */
export const createPlayerSchema: z.ZodType<NewPlayer> = z
  .strictObject({
    ...newPlayerFields,
    identities: z.array(newIdentitySchema).max(MAX_NEW_IDENTITIES).superRefine(withoutDuplicates).default([]),
  })
  .meta({ id: 'NewPlayer' })
  .transform(({ identities, ...player }) => ({ draft: playerColumns(player) as PlayerDraft, identities }))
  .superRefine(({ draft }, context) => withoutContradictions(draft, context))

export interface NewPlayer {
  readonly draft: PlayerDraft
  readonly identities: readonly IdentityDraft[]
}

/** Merge patch: absent is unchanged, null empties. */
export const playerPatchSchema = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'PlayerPatch' })
  .transform((patch) => playerColumns(patch) as PlayerPatch)

const personal = { description: 'Personal: absent without the scope players:read.personal' }

export const playerSchema = z
  .object({
    id: z.uuid(),
    username: z.string().optional().meta(personal),
    displayName: z.string().nullable().optional().meta(personal),
    email: z.string().nullable().optional().meta(personal),
    emailVerifiedAt: z.iso.datetime().nullable().optional().meta(personal),
    birthDate: z.iso.date().nullable().optional().meta(personal),
    country: z.string().nullable().optional().meta(personal),
    locale: z.string().nullable().optional().meta(personal),
    status: z.enum(PLAYER_STATUSES),
    closedAt: z.iso.datetime().nullable().meta({ example: null }),
    erasedAt: z.iso.datetime().nullable().meta({ example: null }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Player' })

export const playerTransitionBody = transitionBody<PlayerStatus>(PLAYER_STATUSES, 'PlayerTransition')
export const playerTransitionsSchema = transitionsSchema(PLAYER_STATUSES, 'PlayerTransitions')
