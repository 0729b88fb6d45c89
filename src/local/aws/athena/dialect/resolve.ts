import { QueryFailure } from '../failure.ts'
import { analyze } from './analyze.ts'
import { coerce } from './casts.ts'
import { type Binding, bind, instantiate, type Signature, signatureCost, type TypePattern } from './function-table.ts'
import type { Context, Typed } from './scope.ts'
import type { Expression } from './syntax.ts'
import { type TrinoType, typeText, UNKNOWN } from './trino-type.ts'

export const functionNotFound = (name: string, args?: readonly TrinoType[]) =>
  new QueryFailure(
    'FUNCTION_NOT_FOUND',
    args === undefined
      ? `Function '${name}' not registered`
      : `Unexpected parameters (${args.map(typeText).join(', ')}) for function ${name}`,
  )

export interface Resolved {
  readonly signature: Signature
  readonly args: readonly Typed[]
  readonly parameters: readonly TrinoType[]
  readonly returns: TrinoType
  readonly binding: Binding
}

const patternAt = (s: Signature, i: number): TypePattern => s.parameters[Math.min(i, s.parameters.length - 1)]!

/** Chooses the overload that needs the least conversion, converts the arguments, reads the lambdas. */
export function resolve(
  name: string,
  signatures: readonly Signature[],
  args: readonly Expression[],
  c: Context,
): Resolved {
  const plain = args.map((a) => (a.kind === 'lambda' ? undefined : analyze(a, c)))
  let best: { signature: Signature; binding: Binding; cost: number } | undefined
  for (const signature of signatures) {
    if (
      signature.variadic
        ? args.length < signature.parameters.length - 1 || args.length === 0
        : args.length !== signature.parameters.length
    )
      continue
    const binding: Binding = { types: new Map(), numbers: new Map() }
    const fits = plain.every((a, i) => {
      const pattern = patternAt(signature, i)
      if (a === undefined)
        return (
          pattern.name === 'function' &&
          pattern.args.length - 1 === (args[i] as { parameters: readonly string[] }).parameters.length
        )
      return bind(pattern, a.type, binding)
    })
    if (!fits) continue
    const types = plain.map((a, i) => (a === undefined ? UNKNOWN : instantiate(patternAt(signature, i), binding)))
    const cost = signatureCost(
      plain.map((a) => a?.type ?? UNKNOWN),
      types,
    )
    if (best === undefined || cost < best.cost) best = { signature, binding, cost }
  }
  if (/^date_(?:trunc|add)$/.test(name) && plain.at(-1)?.type.name === 'unknown')
    throw new QueryFailure('AMBIGUOUS_FUNCTION_CALL', `Could not choose a best candidate for ${name}`)
  if (best === undefined)
    throw functionNotFound(
      name,
      plain.map((a) => a?.type ?? { name: 'function' }),
    )
  return finish(best.signature, best.binding, plain, args, c)
}

function finish(
  signature: Signature,
  binding: Binding,
  plain: readonly (Typed | undefined)[],
  args: readonly Expression[],
  c: Context,
): Resolved {
  const parameters: TrinoType[] = []
  const out: Typed[] = []
  for (const [i, a] of plain.entries()) {
    const pattern = patternAt(signature, i)
    if (a !== undefined) {
      const type = instantiate(pattern, binding)
      parameters.push(type)
      out.push(coerce(c.session, a, type))
      continue
    }
    const lambda = args[i] as Expression & { kind: 'lambda' }
    const inputs = pattern.args.slice(0, -1).map((p) => instantiate(p, binding))
    const body = analyzeLambda(lambda, inputs, c)
    const resultPattern = pattern.args.at(-1)!
    if (!bind(resultPattern, body.type, binding) || (resultPattern.name === 'boolean' && body.type.name === 'unknown'))
      throw functionNotFound(signature.name)
    const result = instantiate(resultPattern, binding)
    parameters.push(result)
    out.push({
      sql: `lambda ${body.names.join(', ')}: ${coerce(c.session, body, result).sql}`,
      type: { name: 'function', args: [...inputs, result] },
    })
  }
  return { signature, args: out, parameters, returns: instantiate(signature.returns, binding), binding }
}

function analyzeLambda(
  e: Expression & { kind: 'lambda' },
  inputs: readonly TrinoType[],
  c: Context,
): Typed & { names: string[] } {
  // DuckDB's lambdas take one element; several parameters are the fields f0, f1, … of a row
  const name = c.session.id('p')
  const lambdas = new Map(c.lambdas)
  e.parameters.forEach((p, i) => {
    lambdas.set(p, { sql: inputs.length === 1 ? name : `struct_extract(${name}, 'f${i}')`, type: inputs[i]! })
  })
  return { ...analyze(e.body, { ...c, lambdas, aggregates: 'inside', windowing: 'inside' }), names: [name] }
}
