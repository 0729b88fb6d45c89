import type { App } from 'aws-cdk-lib'
import { type IPolicyValidationContext, type PolicyValidationPluginReport, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { IConstruct } from 'constructs'

/** A finding that stays, and why a reviewer may agree. */
export interface Accepted {
  /** `AwsSolutions-IAM5`. Never the finding in brackets: that is `finding`. */
  readonly rule: string
  /**
   * Which of the rule's findings, where it has several for one resource: `Action::s3:GetObject*`, `Resource::<Lake.Arn>/*`. A
   * pattern where it names a generated logical id; anchor it. Without one: the finding of a rule that has a single one.
   */
  readonly finding?: string | RegExp
  /** What is so here that the rule's danger is none, in a full sentence. */
  readonly reason: string
}

const accepted = new WeakMap<IConstruct, Accepted[]>()

/**
 * Accepts findings about a construct and everything in it; call it beside the construct. What is accepted stands, with its
 * reason and place, in `validation-report.json` of every synthesis.
 */
export function accept(construct: IConstruct, ...findings: readonly Accepted[]): void {
  accepted.set(construct, [...(accepted.get(construct) ?? []), ...findings])
}

/** What a synthesis accepted, and what it need not have: a reason that no finding asks for any more hides the next one. */
export interface Acceptance extends Accepted {
  readonly path: string
  readonly used: boolean
}

const matches = ({ rule, finding }: Accepted, found: string): boolean => {
  const [, name = found, detail] = /^([^[]+)\[(.*)\]$/.exec(found) ?? []
  if (name !== rule) return false
  if (finding === undefined || detail === undefined) return finding === undefined && detail === undefined
  return typeof finding === 'string' ? finding === detail : finding.test(detail)
}

interface Review {
  /** Each finding with the acceptance that covers it, and the construct that carries that. */
  readonly covered: readonly { readonly ruleName: string; readonly place: IConstruct; readonly entry: Accepted }[]
  /** `rule at path: what is wrong` of those that nobody accepted. */
  readonly open: readonly string[]
  readonly acceptances: readonly Acceptance[]
}

/** Looks for every finding of a report whether it was accepted: at its construct, or at one around it, the nearest first. */
function review(root: IConstruct, { violations }: PolicyValidationPluginReport): Review {
  const all = root.node.findAll()
  const byPath = new Map(all.map((each) => [each.node.path, each]))
  const findings = violations.flatMap(({ ruleName, description, violatingResources }) =>
    violatingResources.map(({ constructPath = '' }) => {
      const places = byPath.get(constructPath)?.node.scopes.toReversed() ?? []
      const entries = places.flatMap((place) =>
        (accepted.get(place) ?? []).map((entry) => ({ ruleName, place, entry })),
      )
      const found = entries.find(({ entry }) => matches(entry, ruleName))
      return { found, says: `${ruleName} at ${constructPath}: ${description}` }
    }),
  )
  const covered = findings.flatMap(({ found }) => (found ? [found] : []))
  const used = new Set(covered.map(({ entry }) => entry))
  return {
    covered,
    open: findings.filter(({ found }) => !found).map(({ says }) => says),
    acceptances: all.flatMap((place) =>
      (accepted.get(place) ?? []).map((entry) => ({ ...entry, path: place.node.path, used: used.has(entry) })),
    ),
  }
}

/** What a synthesis with `addNag` would find in a tree of constructs, without one. */
export function nagged(root: IConstruct): Pick<Review, 'open' | 'acceptances'> {
  return review(root, new AwsSolutionsChecks().validateScope(root))
}

/**
 * Makes acknowledgements of the framework out of what was accepted: it knows exact names only, and a name holds logical ids; what it
 * knows is in its report.
 */
class Checks extends AwsSolutionsChecks {
  readonly #root: App

  constructor(root: App) {
    super(root, { verbose: true })
    this.#root = root
  }

  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = super.validate(context)
    for (const { ruleName, place, entry } of review(this.#root, report).covered) {
      Validations.of(place).acknowledge({ id: `${this.readPackName}::${ruleName}`, reason: entry.reason })
    }
    return report
  }
}

/**
 * Lets every synthesis of the app fail that has a finding of AWS Solutions which nobody accepted: `app.synth()` throws, and the
 * command line exits 1. An app that is synthesised by the end of its process alone would exit 0: call `app.synth()`.
 */
export function addNag(app: App): void {
  Validations.of(app).addPlugins(new Checks(app))
}
