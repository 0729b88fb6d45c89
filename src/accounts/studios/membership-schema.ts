import { z } from 'zod'
import { MEMBER_ROLES, MEMBER_STATUSES, type MembershipDraft, type MembershipPatch } from './membership.ts'

const percentField = z
  .number()
  .gt(0)
  .lte(100)
  .meta({ description: 'Share in percent, at most two decimals; only of the role owner', example: 62.5 })
  .refine((value) => Math.round(value * 100) / 100 === value, {
    message: 'at most two decimals',
    params: { code: 'precision' },
  })

export const memberFields = {
  role: z.enum(MEMBER_ROLES),
  ownershipPercent: percentField.nullable().default(null),
  status: z.enum(['invited', 'active']).optional(),
}

/** Body of the `PUT` of a member. */
export const memberSchema: z.ZodType<MembershipDraft> = z.strictObject(memberFields).meta({ id: 'NewMember' })

/** Merge patch: absent is unchanged, null empties. */
export const memberPatchSchema: z.ZodType<MembershipPatch> = z
  .strictObject({
    role: z.enum(MEMBER_ROLES).optional(),
    ownershipPercent: percentField.nullable().optional(),
    status: z.enum(MEMBER_STATUSES).optional(),
  })
  .meta({ id: 'MemberPatch' })

export const membershipSchema = z
  .object({
    studioId: z.uuid(),
    ownerId: z.uuid(),
    role: z.enum(MEMBER_ROLES),
    status: z.enum(MEMBER_STATUSES),
    ownershipPercent: z.number().nullable(),
    joinedAt: z.iso.datetime().nullable(),
    leftAt: z.iso.datetime().nullable().meta({ example: null }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Membership' })
