import { Duration } from 'aws-cdk-lib'
import { MathExpression, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import type { FunctionStack } from '../stacks/function-stack.ts'
import type { ServiceStack } from '../stacks/service-stack.ts'
import type { StageSettings } from '../stages.ts'
import { FUNCTION_SECONDS } from './api-function.ts'
import type { AlarmPlan } from './watched-alarm.ts'

const BALANCER_ERRORS = 10
const CPU_PERCENT = 85
const OUTAGE_PERCENT = 20
/** In a minute; of fewer nobody can tell. */
const ENOUGH_REQUESTS = 50
const period = Duration.minutes(5)
const each = { statistic: Stats.SUM, period: Duration.minutes(1) }

/** Alarms on tasks of ECS behind the load balancer. */
export function serviceAlarms(stack: ServiceStack, settings: StageSettings): AlarmPlan[] {
  const { loadBalancer, targetGroup, service } = stack
  const ready = (options: MetricOptions) => stack.ofTargets(targetGroup.metrics.healthyHostCount(options))
  return [
    {
      name: 'api-down',
      severity: 'page',
      means: 'No task answers that it is ready: every request fails.',
      first:
        'ECS, events of the service, then the last lines of a stopped task. Database away? Then database-* tell more.',
      metric: ready({ statistic: Stats.MAXIMUM, period: Duration.minutes(1) }),
      threshold: 1,
      below: true,
      of: [2, 3],
      missing: 'wrong',
    },
    {
      name: 'replicas-missing',
      severity: 'ticket',
      means: `Fewer than the ${settings.service.min} tasks that there have to be are ready, for a quarter of an hour.`,
      first: 'ECS, events of the service: no capacity, no image, no secret, or a probe that fails?',
      metric: ready({ statistic: Stats.MINIMUM, period }),
      threshold: settings.service.min,
      below: true,
      of: [3, 3],
      missing: 'wrong',
    },
    {
      name: 'load-balancer-errors',
      severity: 'page',
      means: 'The load balancer itself answers 5xx: no task takes the connection, or one closed it.',
      first: 'Compare with the number of ready tasks; 504 means a task that is too slow, 502 one that ended.',
      metric: loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, each),
      threshold: BALANCER_ERRORS,
      of: [3, 5],
    },
    {
      name: 'requests-failing',
      severity: 'page',
      means: `More than ${OUTAGE_PERCENT} % of all requests end with 5xx in three minutes of five: an outage, seen before targets count as gone.`,
      first: 'Is the database away (database-*)? Did a release go out? Then back to the one before.',
      metric: new MathExpression({
        expression: `IF(requests > ${ENOUGH_REQUESTS}, 100 * failed / requests, 0)`,
        usingMetrics: {
          requests: loadBalancer.metrics.requestCount(each),
          failed: loadBalancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, each),
        },
        label: 'requests that failed, %',
        period: each.period,
      }),
      threshold: OUTAGE_PERCENT,
      of: [3, 5],
    },
    {
      name: 'replicas-at-limit',
      severity: 'ticket',
      means: `All tasks together use more than ${CPU_PERCENT} % of their processors for a quarter of an hour: autoscaling is at its end.`,
      first: `More requests, or dearer ones? Raise service.max (${settings.service.max}) in infra/stages.ts, and mind the connections of the database.`,
      metric: service.metricCpuUtilization({ statistic: Stats.AVERAGE, period }),
      threshold: CPU_PERCENT,
      of: [3, 3],
    },
  ]
}

/** Alarms on the function behind API Gateway. */
export function functionAlarms({ function: api, api: gateway }: FunctionStack): AlarmPlan[] {
  return [
    {
      name: 'function-errors',
      severity: 'page',
      means: 'The function ended without an answer: it crashed, ran out of memory or of time.',
      first: 'The last lines of its log; "Task timed out" and "out of memory" are written by Lambda.',
      metric: api.metricErrors({ statistic: Stats.SUM, period }),
      threshold: 0,
      of: [2, 3],
    },
    {
      name: 'function-throttled',
      severity: 'page',
      means: 'Lambda refused requests: as many functions run as may at once.',
      first: 'Load, or functions that wait for the database? More at once need more connections there.',
      metric: api.metricThrottles({ statistic: Stats.SUM, period }),
      threshold: 0,
      of: [2, 3],
    },
    {
      name: 'function-near-timeout',
      severity: 'ticket',
      means: `One call of a hundred takes longer than two thirds of the ${FUNCTION_SECONDS} s that a function has.`,
      first: 'Which route? The access log of API Gateway has the time of each request.',
      metric: api.metricDuration({ statistic: 'p99', period }),
      threshold: (FUNCTION_SECONDS * 1000 * 2) / 3,
      of: [3, 3],
    },
    {
      name: 'gateway-errors',
      severity: 'page',
      means: 'API Gateway answers 5xx, its own or those of the function.',
      first: 'Compare with server-errors and function-errors: alone it is the gateway that cannot reach the function.',
      metric: gateway.metricServerError({ statistic: Stats.SUM, period }),
      threshold: BALANCER_ERRORS,
      of: [2, 3],
    },
  ]
}
