import type { Context, Scope } from '../../caller.ts'
import { AppError } from '../../errors.ts'

/** The steps that exist, by state. */
export type Lifecycle<State extends string> = Readonly<Record<State, readonly State[]>>

/** A step that exists from the present state. */
export interface Step<State extends string> {
  readonly to: State
  /** Nothing is missing. */
  readonly ready: boolean
  /** Facts that must hold first, as codes: `active-owner`. */
  readonly missing: readonly string[]
}

export interface Transitions<State extends string> {
  readonly status: State
  readonly allowed: readonly Step<State>[]
}

/** What is possible from a state, and what each step still needs. */
export function transitionsFrom<State extends string>(
  lifecycle: Lifecycle<State>,
  status: State,
  missingFor: (to: State) => readonly string[],
): Transitions<State> {
  const allowed = lifecycle[status].map((to) => {
    const missing = missingFor(to)
    return { to, ready: missing.length === 0, missing }
  })
  return { status, allowed }
}

/** The steps as this caller may make them: without the scope for it there are none. */
export function stepsOf<State extends string>(
  { principal }: Context,
  scope: Scope,
  transitions: Transitions<State>,
): Transitions<State> {
  return principal.scopes.has(scope) ? transitions : { ...transitions, allowed: [] }
}

/**
 * The check before a step is made.
 *
 * @throws AppError `invalid-transition` that lists the steps, `transition-blocked` that lists what is missing
 */
export function requireTransition<State extends string>({ status, allowed }: Transitions<State>, to: State): void {
  const step = allowed.find((candidate) => candidate.to === to)
  if (step === undefined) {
    const names = allowed.map((candidate) => candidate.to)
    throw new AppError('invalid-transition', `There is no step from ${status} to ${to}`, {
      extra: { from: status, allowed: names },
    })
  }
  if (step.ready) return
  throw new AppError('transition-blocked', `The step to ${to} needs: ${step.missing.join(', ')}`, {
    extra: { from: status, to, missing: step.missing },
  })
}
