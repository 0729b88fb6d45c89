import type { Statement } from './policy-evaluator.ts'
import { type Power, powersOf } from './powers.ts'
import { roleName } from './role-names.ts'
import type { Role, StageAccess } from './roles.ts'

/** One stage as the document needs it. */
export interface StageRoles {
  readonly stage: string
  readonly access: StageAccess
}

export function has(access: StageAccess, role: Role, { actions, resources }: Power): 'yes' | 'conditional' | 'no' {
  const decisions = actions.flatMap((action) => resources.map((resource) => access.decide(role, action, resource)))
  if (decisions.includes('allowed')) return 'yes'
  return decisions.includes('conditional') ? 'conditional' : 'no'
}

const shortArn = (arn: string) =>
  arn
    .replace(/^arn:aws:/, '')
    .replace(/:(REGION|\*)?:(ACCOUNT|\*|aws)?:/, ':')
    // Of an asset: another one with each change of its content, which changes nothing about the right.
    .replace(/[0-9a-f]{64}/, 'HASH')
    .replace(/^s3:+/, 's3:')
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``
const list = (texts: readonly string[], show = code) => [...texts].sort().map(show).join('<br>')

function conditions(statement: Statement): string[] {
  return Object.entries(statement.conditions).flatMap(([operator, keys]) =>
    Object.entries(keys).map(([key, values]) => `${key} ${operator} ${values.map(shortArn).join(', ')}`),
  )
}

function row(statement: Statement): string {
  const { effect, actions, notActions, resources = [], notResources } = statement
  const word = effect === 'Allow' ? 'may' : '**must not**'
  const what = actions ? list(actions) : `all but ${list(notActions ?? [])}`
  const where = notResources ? `all but ${list(notResources.map(shortArn))}` : list(resources.map(shortArn))
  return `| ${word} | ${what} | ${where} | ${list(conditions(statement))} |`
}

const trusted = (role: Role) =>
  role.trust.map((each) => {
    const who = (each.principals ?? []).map((one) => code(shortArn(one))).join(', ')
    const when = conditions(each)
    return when.length > 0 ? `${who} if ${when.map(code).join(' and ')}` : who
  })

/** Text about one role, the same for two stages where the role is. */
function roleText({ stage, access }: StageRoles, role: Role, powers: readonly Power[]): string {
  const uses = role.uses.map(({ resource, property }) => `${code(resource.name)} (${resource.type}, ${property})`)
  const lacks = powers.filter((each) => has(access, role, each) === 'no').map(({ name }) => name)
  const table = ['| | actions | on | if |', '|---|---|---|---|', ...role.statements.map(row)]
  return [
    `Assumed by ${[...new Set(trusted(role))].join('; ')}.${uses.length > 0 ? ` Used by ${uses.join(', ')}.` : ''}`,
    role.statements.length > 0 ? table.join('\n') : 'May do nothing in AWS.',
    `Can not: ${lacks.join('; ')}.`,
  ]
    .join('\n\n')
    .replaceAll(`rocketgames-accounts-${stage}`, 'rocketgames-accounts-STAGE')
}

/** name of a power -> names of the roles that have it, for one stage. */
export function holders({ stage, access }: StageRoles): Map<string, string[]> {
  const powers = powersOf(access)
  return new Map(
    powers.map((power) => [
      power.name,
      access.roles
        .map((role) => ({ name: roleName(role, stage), has: has(access, role, power) }))
        .filter((each) => each.has !== 'no')
        .map((each) => (each.has === 'conditional' ? `${each.name} (if)` : each.name))
        .sort(),
    ]),
  )
}

function powerTable(stages: readonly StageRoles[]): string {
  const each = stages.map((one) => ({ stage: one.stage, held: holders(one) }))
  const rows = [...(each[0]?.held.keys() ?? [])].map((power) => {
    const byRole = new Map<string, string[]>()
    for (const { stage, held } of each) {
      for (const role of held.get(power) ?? []) byRole.set(role, [...(byRole.get(role) ?? []), stage])
    }
    const roles = [...byRole].map(([role, of]) => (of.length === stages.length ? role : `${role} [${of.join(', ')}]`))
    return `| ${power} | ${roles.length > 0 ? roles.join(', ') : '**nobody**'} |`
  })
  return ['| who may … | |', '|---|---|', ...rows].join('\n')
}

const HEAD = `# What each role may do

Made from the templates by \`npm run generate:roles\`; a test compares. \`STAGE\` stands for the stage's name, and a name without one
is what the template calls a thing to which CloudFormation gives a name. The evaluation reads the policies of roles, buckets, keys
and secrets as IAM does: a Deny wins; a condition that depends on the request counts as met where it allows - *(if)* - and as not met
where it denies. So what stands here as impossible is impossible by these policies. Not in it: administrators of the account, roles that were
made elsewhere, and the functions of AWS that rotate passwords, which come with roles of their own (AWS Serverless Application Repository).

A deleted object is a noncurrent version for one more day, and nobody here can remove versions. ECS reads secrets as it starts a task:
*start of task* is that role, which the program itself never has.

What the table does not show: whoever may start a task may give it another command and add to its environment, as ECS has no condition for
that. So the API may start the tasks asked-snapshot and asked-care alone, with the roles of snapshot and care: their entry point, which
no start can replace, names the command, sets every setting again and takes out what would let Node.js run other code. What remains to an
intruder in the API: arguments of these two commands; the database's user and the pseudonym key in place of those injected, so a snapshot
that fails or whose pseudonyms fit to no other; and another configuration of the collector of traces beside them, which shares
their role. Each start is in CloudTrail with its overrides. And whoever
may start a job of Glue may name other code in its arguments: that is for the tasks of the lake alone, and for a job that reads no secret
which they do not get. Everybody else starts the workflow, which takes no arguments.`

/** The whole of docs/roles.md: who has which power, then every role. Roles that differ between stages are shown for each. */
export function roleDocument(stages: readonly StageRoles[]): string {
  const texts = new Map<string, Map<string, string[]>>()
  for (const one of stages) {
    const powers = powersOf(one.access)
    for (const role of one.access.roles) {
      const name = roleName(role, one.stage)
      const variants = texts.get(name) ?? new Map<string, string[]>()
      const text = roleText(one, role, powers)
      texts.set(name, variants.set(text, [...(variants.get(text) ?? []), one.stage]))
    }
  }
  const sections = [...texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, variants]) => {
      const parts = [...variants].map(([text, of]) =>
        of.length === stages.length ? text : `In ${of.join(', ')}. ${text}`,
      )
      return `### ${name}\n\n${parts.join('\n\n')}`
    })
  return `${[HEAD, '## Powers', powerTable(stages), '## Roles', ...sections].join('\n\n')}\n`
}
