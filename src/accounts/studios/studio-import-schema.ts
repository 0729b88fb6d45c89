import { z } from 'zod'
import { type Checked, check } from '../../http/validation.ts'
import {
  idField,
  lineFields,
  madeStateFields,
  onlyKey,
  originFields,
  parentOf,
  referenceField,
  withoutMade,
} from '../bulk/bulk-schema.ts'
import { emailField, externalRefField, instantField } from '../text/text-schema.ts'
import { MEMBER_STATUSES } from './membership.ts'
import type { MemberLine } from './membership-import.ts'
import { memberFields } from './membership-schema.ts'
import { STUDIO_STATUSES } from './studio.ts'
import type { StudioLine } from './studio-import.ts'
import { newStudioFields } from './studio-schema.ts'

const MAX_MEMBERS = 200

const ownerReference = referenceField(
  { id: idField, externalRef: externalRefField, email: emailField.transform(({ key }) => key) },
  onlyKey,
)

const memberSchema = z.strictObject({
  ...lineFields(memberFields),
  owner: ownerReference.optional(),
  ownerId: idField.optional(),
  status: z.enum(MEMBER_STATUSES).optional(),
  joinedAt: instantField.nullable().optional(),
  leftAt: instantField.nullable().optional(),
})

export const studioLineSchema = z
  .strictObject({
    ...lineFields(newStudioFields),
    ...originFields,
    ...madeStateFields,
    status: z.enum(STUDIO_STATUSES).optional(),
    members: z.array(memberSchema).max(MAX_MEMBERS).optional(),
  })
  .transform((line, context) => {
    const { members, ...rest } = withoutMade(line)
    if (members === undefined) return rest as StudioLine
    return { ...rest, members: members.map((member, index) => asMember(member, index, context)) } as StudioLine
  })

function asMember(
  { owner, ownerId, leftAt, ...others }: z.output<typeof memberSchema>,
  index: number,
  context: z.RefinementCtx,
): MemberLine {
  const at = ['members', index]
  // As an export tells it of a member who is there.
  const rest = { ...others, ...(leftAt === null || leftAt === undefined ? {} : { leftAt }) }
  const parent = parentOf({ owner, ownerId }, 'owner', context, at)
  if (parent !== undefined) return { ...rest, owner: parent } as MemberLine
  const params = { code: 'required' }
  context.addIssue({ code: 'custom', path: [...at, 'owner'], message: 'who the member is', params })
  return z.NEVER
}

/** Checks one line of an import without I/O. */
export function parseStudioLine(input: unknown): Checked<StudioLine> {
  return check(studioLineSchema, input)
}
