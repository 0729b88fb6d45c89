import { createHash } from 'node:crypto'
import { CfnBudget } from 'aws-cdk-lib/aws-budgets'
import { Construct } from 'constructs'

export interface MonthlyBudgetProps {
  readonly name: string
  /** US dollars. */
  readonly limitUsd: number
  /** Tags that all resources of the stage have; they have to be activated as cost allocation tags, once for an account. */
  readonly tags: Readonly<Record<string, string>>
  readonly email: string
}

/** Mail at four fifths of what a month may cost, at all of it, and once the month is foreseen to end above it. */
export class MonthlyBudget extends Construct {
  constructor(scope: Construct, id: string, { name, limitUsd, tags, email }: MonthlyBudgetProps) {
    super(scope, id)
    const subscribers = [{ subscriptionType: 'EMAIL', address: email }]
    const notice = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
      subscribers,
    })
    const notificationsWithSubscribers = [notice('ACTUAL', 80), notice('ACTUAL', 100), notice('FORECASTED', 100)]
    // CloudFormation replaces a budget whose notices change: the new one is made first, so it cannot have the name of the old one.
    const version = createHash('sha256').update(JSON.stringify(notificationsWithSubscribers)).digest('hex').slice(0, 8)
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `${name}-${version}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: limitUsd, unit: 'USD' },
        metrics: ['UnblendedCost'],
        filterExpression: {
          and: Object.entries(tags).map(([key, value]) => ({
            tags: { key, values: [value], matchOptions: ['EQUALS'] },
          })),
        },
      },
      notificationsWithSubscribers,
    })
  }
}
