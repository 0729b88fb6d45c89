import type { Context, Scope } from '../../caller.ts'
import { AppError, type FieldError, invalid } from '../../errors.ts'

/** How a line names a row that it belongs to: one unique key of it. */
export interface Reference {
  /** `id`, `externalRef`, … */
  readonly by: string
  readonly text: string
  /** Where in the line it stands. */
  readonly pointer: string
}

/** What references lead to, by `by:text`. Several rows: the key alone does not say which one. */
export class ReferenceIndex<Found extends { readonly id: string }> {
  readonly #found = new Map<string, Found[]>()

  add(by: string, text: string | null, found: Found): void {
    if (text === null) return
    const name = `${by}:${text}`
    const others = this.#found.get(name)
    if (others === undefined) this.#found.set(name, [found])
    else if (others.every(({ id }) => id !== found.id)) others.push(found)
  }

  /**
   * @param what for the message: `game`
   * @throws AppError `validation` that points to the reference
   */
  resolve({ by, text, pointer }: Reference, what: string): Found {
    const [found, other] = this.#found.get(`${by}:${text}`) ?? []
    if (found === undefined) throw invalid([{ pointer, code: 'not-found', detail: `there is no such ${what}` }])
    if (other === undefined) return found
    const detail = `the key belongs to more than one ${what}; add what tells them apart`
    throw invalid([{ pointer, code: 'ambiguous-reference', detail }])
  }
}

/** The texts of the references of one kind, each once. */
export function textsBy(references: readonly Reference[], by: string): string[] {
  return [...new Set(references.filter((reference) => reference.by === by).map(({ text }) => text))]
}

/**
 * A reference by a personal key asks whether somebody with it exists, and its answer tells: so it needs a scope that lets the
 * caller know.
 *
 * @throws AppError `forbidden`
 */
export function requireMayName(reference: Reference, { principal }: Context, personal: Personal): void {
  if (!personal.keys.includes(reference.by) || personal.scopes.some((scope) => principal.scopes.has(scope))) return
  const [scope] = personal.scopes
  throw new AppError('forbidden', `A reference by a personal key needs the scope ${scope}`, {
    extra: { scope },
    errors: [{ pointer: reference.pointer, code: 'personal' }],
  })
}

export interface Personal {
  readonly keys: readonly string[]
  /** Any one of them will do. */
  readonly scopes: readonly Scope[]
}

/** The errors of a part of a line, pointing into the line. */
export function within<T>(pointer: string, judge: () => T): T {
  try {
    return judge()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const errors: FieldError[] = error.errors.map((each) => ({ ...each, pointer: `${pointer}${each.pointer ?? ''}` }))
    throw new AppError(error.code, error.message, {
      errors: errors.length > 0 ? errors : [{ pointer, code: error.code }],
      extra: error.extra,
      cause: error,
    })
  }
}
