interface Branch<T> {
  readonly literals: Map<string, Branch<T>>
  parameter: Branch<T> | undefined
  end: { readonly value: T; readonly names: readonly string[] } | undefined
}

export interface PathMatch<T> {
  readonly value: T
  /** As they stand in the address, still percent-encoded. */
  readonly raw: Readonly<Record<string, string>>
}

const PARAMETER = /^\{(\w+)\}$/

/**
 * Values by path pattern, `/v1/studios/{id}/members`: found in one step a segment, however many patterns there are. A name in the
 * pattern goes before a parameter at the same place, wherever a whole pattern fits with it. Case and a slash at the end count.
 */
export class PathTree<T> {
  readonly #root = branch<T>()

  /** @throws Error when the pattern is there already */
  add(pattern: string, value: T): void {
    const names: string[] = []
    let at = this.#root
    for (const segment of segmentsOf(pattern)) {
      const name = PARAMETER.exec(segment)?.[1]
      if (name === undefined) at = literal(at, segment)
      else {
        names.push(name)
        at.parameter ??= branch()
        at = at.parameter
      }
    }
    if (at.end !== undefined) throw new Error(`${pattern} is there already`)
    at.end = { value, names }
  }

  find(path: string): PathMatch<T> | undefined {
    if (!path.startsWith('/')) return undefined
    const given: string[] = []
    const end = search(this.#root, segmentsOf(path), 0, given)
    if (end === undefined) return undefined
    return { value: end.value, raw: Object.fromEntries(end.names.map((name, i) => [name, given[i] ?? ''])) }
  }
}

function branch<T>(): Branch<T> {
  return { literals: new Map(), parameter: undefined, end: undefined }
}

function literal<T>(at: Branch<T>, segment: string): Branch<T> {
  const known = at.literals.get(segment)
  if (known !== undefined) return known
  const made = branch<T>()
  at.literals.set(segment, made)
  return made
}

const segmentsOf = (path: string) => path.slice(1).split('/')

/** The end of the pattern that fits; `given` has the segments of its parameters then. */
function search<T>(at: Branch<T>, segments: readonly string[], index: number, given: string[]): Branch<T>['end'] {
  const segment = segments[index]
  if (segment === undefined) return at.end
  const named = at.literals.get(segment)
  const found = named && search(named, segments, index + 1, given)
  if (found !== undefined || at.parameter === undefined || segment === '') return found
  const length = given.push(segment)
  const end = search(at.parameter, segments, index + 1, given)
  if (end === undefined) given.length = length - 1
  return end
}
