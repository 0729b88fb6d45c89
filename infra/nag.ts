import type { App } from 'aws-cdk-lib'
import { type IPolicyValidationContext, type PolicyValidationPluginReport, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks, type NagPack } from 'cdk-nag'
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

/**
 * Makes acknowledgements of a pack's findings out of what was accepted: the framework itself knows exact names only, and a name
 * holds logical ids.
 */
function acknowledge(pack: NagPack, root: IConstruct, report: PolicyValidationPluginReport): Acceptance[] {
  const used = new Set<Accepted>()
  const all = root.node.findAll()
  const byPath = new Map(all.map((each) => [each.node.path, each]))
  for (const { ruleName, violatingResources } of report.violations) {
    for (const { constructPath } of violatingResources) {
      for (const place of byPath.get(constructPath ?? '')?.node.scopes.toReversed() ?? []) {
        const entry = accepted.get(place)?.find((each) => matches(each, ruleName))
        if (entry === undefined) continue
        used.add(entry)
        Validations.of(place).acknowledge({ id: `${pack.readPackName}::${ruleName}`, reason: entry.reason })
        break
      }
    }
  }
  return root.node
    .findAll()
    .flatMap((place) =>
      (accepted.get(place) ?? [])
        .filter(({ rule }) => rule.startsWith(`${pack.readPackName}-`))
        .map((entry) => ({ ...entry, path: place.node.path, used: used.has(entry) })),
    )
}

class Checks extends AwsSolutionsChecks {
  readonly #root: App
  #acceptances: readonly Acceptance[] = []

  constructor(root: App) {
    super(root, { verbose: true })
    this.#root = root
  }

  get acceptances(): readonly Acceptance[] {
    return this.#acceptances
  }

  override validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = super.validate(context)
    this.#acceptances = acknowledge(this, this.#root, report)
    return report
  }
}

/**
 * Lets every synthesis of the app fail that has a finding of AWS Solutions which nobody accepted: `app.synth()` throws, and the
 * command line exits 1. An app that is synthesised by the end of its process alone would exit 0: call `app.synth()`.
 *
 * @returns what was accepted, readable after the synthesis.
 */
export function addNag(app: App): { readonly acceptances: readonly Acceptance[] } {
  const checks = new Checks(app)
  Validations.of(app).addPlugins(checks)
  return checks
}
