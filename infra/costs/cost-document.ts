import type { Resource } from '../audit/stack-resources.ts'
import type { StageSettings } from '../stages.ts'
import { type CostItem, monthlyCosts, type Usage } from './monthly-costs.ts'
import { PRICES } from './prices.ts'

export interface CostedStage {
  readonly settings: StageSettings
  readonly resources: readonly Resource[]
}

/** How much each stage is used: all of it assumed. */
export const USAGE: Readonly<Record<StageSettings['name'], Usage>> = {
  small: {
    says: '100,000 players with ten games each; a million requests a month; a snapshot each night',
    requests: 1,
    functionMs: 100,
    tasks: 0,
    balancerUnits: 0,
    snapshotGb: 0.05,
    snapshotMinutes: 3,
    snapshotsKept: 17,
    curatedGb: 1,
    curateDpuHours: 0.2,
    scannedTb: 0.05,
    logGb: 3,
    outGb: 20,
    zonesGb: 5,
    traces: 0,
  },
  dev: {
    says: 'the sample data; whoever tries something; a snapshot each night',
    requests: 1,
    functionMs: 0,
    tasks: 2,
    balancerUnits: 0.1,
    snapshotGb: 0.05,
    snapshotMinutes: 3,
    snapshotsKept: 17,
    curatedGb: 1,
    curateDpuHours: 0.2,
    scannedTb: 0.05,
    logGb: 5,
    outGb: 30,
    zonesGb: 5,
    traces: 0.2,
  },
  prod: {
    says: '10 million players with ten games each; 100 million requests a month, 38 a second on average; snapshots as in `stages.ts`',
    requests: 100,
    functionMs: 0,
    tasks: 3,
    balancerUnits: 3,
    snapshotGb: 4.5,
    snapshotMinutes: 12,
    snapshotsKept: 23,
    curatedGb: 30,
    curateDpuHours: 1,
    scannedTb: 2,
    logGb: 100,
    outGb: 900,
    zonesGb: 300,
    traces: 5,
  },
}

const HEAD = `# What a month costs, on paper

Made by \`npm run generate:costs\` out of the templates, the settings of the stages and the assumptions below; a test compares, and adds up. None of it
was billed: it is list prices of us-east-1, on demand, without free tiers, discounts and taxes, as they were known in the year that the table of
prices tells. Frankfurt, where the stages are, is about a tenth to a fifth dearer (assumption). *templates*, *stages.ts* and
*program* are counted, *assumption* is guessed: put in your own numbers in \`infra/costs/cost-document.ts\`.`

const money = (usd: number) => usd.toFixed(2)
const number = (value: number) => String(Number(value.toPrecision(4)))
export const total = (items: readonly CostItem[]) =>
  items.reduce((sum, { usd }) => sum + Math.round(usd * 100), 0) / 100

function stageText({ settings, resources }: CostedStage): string {
  const usage = USAGE[settings.name]
  const items = monthlyCosts(settings, resources, usage)
  const rows = items.map(
    ({ group, name, quantity, price, origin, usd }) =>
      `| ${group} | ${name} | ${number(quantity)} | ${PRICES[price].usd} per ${PRICES[price].per} | ${origin} | ${money(usd)} |`,
  )
  const groups = Map.groupBy(items, ({ group }) => group)
  const sums = [...groups].map(([group, of]) => `${group} ${money(total(of))}`)
  return [
    `## ${settings.name}: ${money(total(items))} US dollars`,
    `Assumed: ${usage.says}. The budget that warns is ${settings.budgetUsd}.`,
    ['| | | quantity | price | from | a month |', '|---|---|---|---|---|---|', ...rows].join('\n'),
    `${sums.join(' + ')} = **${money(total(items))}**`,
  ].join('\n\n')
}

function priceTable(): string {
  const rows = Object.entries(PRICES).map(
    ([name, { usd, per, page, known }]) => `| \`${name}\` | ${usd} | ${per} | ${page} | ${known} |`,
  )
  return ['| price | US dollars | per | price page of AWS | known in |', '|---|---|---|---|---|', ...rows].join('\n')
}

const TAIL = `## What moves it

- The database is the largest part of prod, and half of that is the second instance. NAT gateways and endpoints cost by the hour whether anything passes or not: \`natGateways\`
  and \`privateEndpoints\` in \`infra/stages.ts\`.
- Each snapshot costs its crawl and its curate run whatever its size: four a day cost four times one a night.
- Queries are billed by what they scan: one without a filter on \`snapshot_id\` reads every kept snapshot. Work groups end queries at their limits.
- Log lines of requests: half a kilobyte each, twice with the balancer's.
- Not in it: support, CloudTrail, transfer into the internet, the warehouse, backups beyond the size of the database, the time of people.`

/** The whole of docs/costs.md. */
export function costDocument(stages: readonly CostedStage[]): string {
  return `${[HEAD, ...stages.map(stageText), '## Prices', priceTable(), TAIL].join('\n\n')}\n`
}
