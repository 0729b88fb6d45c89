import { z } from 'zod'
import { lineField } from '../text/text-schema.ts'

/** A step to make, and why. */
export interface TransitionRequest<State extends string> {
  readonly to: State
  readonly reason: string | null
}

/** Free text for the audit trail. */
export const reasonField = lineField(500, { example: 'contract signed' }).nullable().default(null)

export function transitionBody<State extends string>(
  states: readonly State[],
  id: string,
): z.ZodType<TransitionRequest<State>> {
  return z.strictObject({ to: z.enum(states), reason: reasonField }).meta({ id }) as unknown as z.ZodType<
    TransitionRequest<State>
  >
}

export function transitionsSchema(states: readonly string[], id: string): z.ZodType {
  const state = z.enum(states as [string, ...string[]])
  return z
    .object({
      status: state,
      allowed: z.array(z.object({ to: state, ready: z.boolean(), missing: z.array(z.string()).meta({ example: [] }) })),
    })
    .meta({ id })
}
