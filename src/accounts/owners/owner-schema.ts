import { z } from 'zod'
import { transitionBody, transitionsSchema } from '../lifecycle/lifecycle-schema.ts'
import type { Email } from '../text/email.ts'
import { reference } from '../text/line.ts'
import { countryField, emailField, externalRefField, instantField, lineField, ruled } from '../text/text-schema.ts'
import { OWNER_STATUSES, type OwnerDraft, type OwnerPatch, type OwnerStatus } from './owner.ts'

const fields = {
  fullName: lineField(200, { example: 'Olga Owner' }),
  email: emailField,
  emailVerifiedAt: instantField.nullable(),
  country: countryField.nullable(),
  authSubject: ruled(reference(255), {
    maxLength: 255,
    description: "The identity provider's sub",
    example: 'idp|8842',
  }).nullable(),
  externalRef: externalRefField.nullable(),
}

/** Body of a `POST` and, with more beside it, of an import line. */
export const newOwnerFields = {
  ...fields,
  emailVerifiedAt: fields.emailVerifiedAt.default(null),
  country: fields.country.default(null),
  authSubject: fields.authSubject.default(null),
  externalRef: fields.externalRef.default(null),
}

/** The address and its key as the columns that hold them. */
export function emailColumns<T extends { readonly email: Email }>({ email, ...rest }: T) {
  return { ...rest, email: email.address, emailKey: email.key }
}

export const newOwnerSchema: z.ZodType<OwnerDraft> = z
  .strictObject(newOwnerFields)
  .meta({ id: 'NewOwner' })
  .transform(emailColumns)

/** Merge patch: absent is unchanged, null empties. */
export const ownerPatchSchema = z
  .strictObject(fields)
  .partial()
  .meta({ id: 'OwnerPatch' })
  .transform(({ email, ...rest }) =>
    email === undefined ? rest : emailColumns({ ...rest, email }),
  ) as unknown as z.ZodType<OwnerPatch>

const personal = { description: 'Personal: absent without the scope owners:read.personal' }

export const ownerSchema = z
  .object({
    id: z.uuid(),
    fullName: z.string().nullable().optional().meta(personal),
    email: z.string().nullable().optional().meta(personal),
    emailVerifiedAt: z.iso.datetime().nullable().optional().meta(personal),
    country: z.string().nullable().optional().meta(personal),
    authSubject: z.string().nullable().optional().meta(personal),
    status: z.enum(OWNER_STATUSES),
    externalRef: z.string().nullable().optional().meta(personal),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Owner' })

export const ownerTransitionBody = transitionBody<OwnerStatus>(OWNER_STATUSES, 'OwnerTransition')
export const ownerTransitionsSchema = transitionsSchema(OWNER_STATUSES, 'OwnerTransitions')
