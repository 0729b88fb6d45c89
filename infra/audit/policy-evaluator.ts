/**
 * What a policy lets somebody do, as IAM decides it: a Deny wins, then an Allow is needed (AWS Identity and Access Management
 * User Guide, "Policy evaluation logic"). Made to prove that something can NOT be done: a request may hold wildcards and
 * stands for all it could mean; a condition that depends on what the request does not tell is counted as met in an Allow and as
 * not met in a Deny.
 */

export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly actions?: readonly string[]
  readonly notActions?: readonly string[]
  /** Of a policy of a role; and of a resource, where absent means the resource. */
  readonly resources?: readonly string[]
  readonly notResources?: readonly string[]
  /** ARNs and service names; of policies of resources only. `*` is everybody. */
  readonly principals?: readonly string[]
  readonly notPrincipals?: readonly string[]
  /** operator -> key -> values. */
  readonly conditions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

export interface Request {
  readonly principal: string
  /** `s3:PutObject`, or several as `s3:Put*`. */
  readonly action: string
  /** An ARN, or several as `arn:aws:s3:::lake/*`. */
  readonly resource: string
  /** Keys in lower case, `aws:securetransport`. What is not in it is not known. */
  readonly context?: Readonly<Record<string, string>>
}

/** `denied` by a statement that says so; `conditional` is allowed under conditions that the request says nothing of. */
export type Decision = 'denied' | 'allowed' | 'conditional' | 'not granted'

export interface Policies {
  /** Of the role itself. */
  readonly own: readonly Statement[]
  /** Its permissions boundary, which grants nothing and limits everything. */
  readonly boundary?: readonly Statement[] | undefined
  /** Of the resource. */
  readonly ofResource?: readonly Statement[] | undefined
  /** A role of another account needs both; a KMS key without the account in its policy heeds that policy alone. */
  readonly ownCount?: boolean | undefined
}

/** Is there a text that both patterns match? `*` is any text, `?` any character. */
export function overlap(a: string, b: string): boolean {
  const seen = new Map<number, boolean>()
  const from = (i: number, j: number): boolean => {
    const key = i * (b.length + 1) + j
    const known = seen.get(key)
    if (known !== undefined) return known
    const [x, y] = [a[i], b[j]]
    let answer: boolean
    if (x === undefined && y === undefined) answer = true
    else if (x === '*') answer = from(i + 1, j) || (y !== undefined && from(i, j + 1))
    else if (y === '*') answer = from(i, j + 1) || (x !== undefined && from(i + 1, j))
    else answer = x !== undefined && y !== undefined && (x === y || x === '?' || y === '?') && from(i + 1, j + 1)
    seen.set(key, answer)
    return answer
  }
  return from(0, 0)
}

/** Does the pattern match every text that the inner pattern does? */
export function contains(pattern: string, inner: string): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    // One character of the outer one is not many of the inner one.
    .replaceAll('?', '[^*]')
  return new RegExp(`^${source}$`, 's').test(inner)
}

const low = (list: readonly string[]) => list.map((each) => each.toLowerCase())
/** A variable of a policy, `${aws:PrincipalTag/team}`, could be anything. */
const open = (pattern: string) => pattern.replaceAll(/\$\{[^}]*\}/g, '*')

/** The first five parts of an ARN are compared one by one: no wildcard reaches over their colons. */
function parts(text: string): string[] {
  const [scheme = '', ...rest] = text.split(':')
  return scheme === 'arn' && rest.length > 4 ? [scheme, ...rest.slice(0, 4), rest.slice(4).join(':')] : [text]
}

function compare(test: (a: string, b: string) => boolean, pattern: string, value: string): boolean {
  const [a, b] = [parts(pattern), parts(value)]
  return a.length === b.length ? a.every((each, i) => test(each, b[i] ?? '')) : test(pattern, value)
}

/** An Allow is about a request where they could meet; a Deny where it holds for all of it. */
function covers(effect: Statement['effect'], patterns: readonly string[], value: string): boolean {
  if (effect === 'Allow') return patterns.some((each) => compare(overlap, open(each), value))
  return patterns.some((each) => !each.includes('${') && compare(contains, each, value))
}

function about(
  { effect }: Statement,
  these: readonly string[] | undefined,
  allBut: readonly string[] | undefined,
  value: string,
): boolean {
  if (these) return covers(effect, these, value)
  if (allBut) return !covers(effect === 'Allow' ? 'Deny' : 'Allow', allBut, value)
  return true
}

type Known = boolean | 'unknown'

const TESTS: Readonly<Record<string, (given: string, wanted: string) => boolean>> = {
  stringequals: (given, wanted) => given === wanted,
  stringequalsignorecase: (given, wanted) => given.toLowerCase() === wanted.toLowerCase(),
  stringlike: (given, wanted) => contains(wanted, given),
  arnequals: (given, wanted) => contains(wanted, given),
  arnlike: (given, wanted) => contains(wanted, given),
  bool: (given, wanted) => given.toLowerCase() === wanted.toLowerCase(),
  numericequals: (given, wanted) => Number(given) === Number(wanted),
  numericlessthan: (given, wanted) => Number(given) < Number(wanted),
  numericlessthanequals: (given, wanted) => Number(given) <= Number(wanted),
  numericgreaterthan: (given, wanted) => Number(given) > Number(wanted),
  numericgreaterthanequals: (given, wanted) => Number(given) >= Number(wanted),
}

/** One `operator: { key: values }`. Unknown operators are unknown, never met: a promise must not rest on them. */
function holds(operator: string, key: string, values: readonly string[], context: Request['context']): Known {
  const given = context?.[key.toLowerCase()]
  if (given === undefined) return 'unknown'
  const name = operator
    .toLowerCase()
    .replace(/^for(any|all)values?:/, '')
    .replace(/ifexists$/, '')
  const negated = /^(string|arn|numeric)not/.test(name)
  const test = TESTS[name.replace(/^(string|arn|numeric)not/, '$1')]
  if (!test || values.some((each) => each.includes('${'))) return 'unknown'
  return values.some((each) => test(given, each)) !== negated
}

function conditionsOf({ conditions }: Statement, context: Request['context']): Known {
  const each = Object.entries(conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => holds(operator, key, values, context)),
  )
  if (each.includes(false)) return false
  return each.includes('unknown') ? 'unknown' : true
}

function isFor(statement: Statement, principal: string): boolean {
  const named = (list: readonly string[]) =>
    list.some((each) => each === '*' || each === principal || (statement.effect === 'Deny' && each.endsWith(':root')))
  if (statement.notPrincipals) return !statement.notPrincipals.includes(principal)
  return statement.principals === undefined || named(statement.principals)
}

function verdict(statements: readonly Statement[], request: Request): Decision {
  const action = request.action.toLowerCase()
  let best: Decision = 'not granted'
  for (const statement of statements) {
    const actions = statement.actions && low(statement.actions)
    const notActions = statement.notActions && low(statement.notActions)
    if (!about(statement, actions, notActions, action)) continue
    if (!about(statement, statement.resources, statement.notResources, request.resource)) continue
    if (!isFor(statement, request.principal)) continue
    const met = conditionsOf(statement, request.context)
    if (statement.effect === 'Deny' && met === true) return 'denied'
    if (statement.effect === 'Deny' || met === false) continue
    if (met === true) best = 'allowed'
    else if (best === 'not granted') best = 'conditional'
  }
  return best
}

/** May the principal do it? Where the request stands for several: may it do any of them? */
export function decide(policies: Policies, request: Request): Decision {
  const context = { 'aws:principalarn': request.principal, 'aws:securetransport': 'true', ...request.context }
  const known = { ...request, context }
  const [own, ofResource] = [verdict(policies.own, known), verdict(policies.ofResource ?? [], known)]
  const limit = policies.boundary ? verdict(policies.boundary, known) : 'allowed'
  const granted = [policies.ownCount === false ? 'not granted' : own, ofResource]
  if ([own, ofResource, limit].includes('denied')) return 'denied'
  if (limit === 'not granted') return 'not granted'
  if (granted.includes('allowed')) return limit
  return granted.includes('conditional') ? 'conditional' : 'not granted'
}
