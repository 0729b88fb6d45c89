import * as ecs from 'aws-cdk-lib/aws-ecs'
import * as iam from 'aws-cdk-lib/aws-iam'
import type * as logs from 'aws-cdk-lib/aws-logs'
import { accept } from '../nag.ts'

const IMAGE = 'public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0'
const PORT = 4318
const COLLECTOR_URL = `http://127.0.0.1:${PORT}`
/**
 * What a program needs to send traces. The service records one request of twenty, which it chooses by itself: its callers are anybody, and each
 * trace costs more than its request. Other commands record each run.
 */
export function traceSettings(command: readonly string[]): Readonly<Record<string, string>> {
  const sampling: Readonly<Record<string, string>> =
    command[0] === 'serve'
      ? { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.05' }
      : { OTEL_TRACES_SAMPLER: 'always_on' }
  return { OTEL_EXPORTER_OTLP_ENDPOINT: COLLECTOR_URL, ...sampling }
}

/** Of the task's memory it takes at most so much: what is left is the program's. */
export const COLLECTOR_MIB = 160

/** Takes spans on loopback, from its own task only, and passes them on to X-Ray. */
const CONFIGURATION = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${PORT}
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 100
  batch: {}
exporters:
  awsxray: {}
service:
  telemetry:
    logs:
      level: warn
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [awsxray]
`

/** Adds the collector to a task whose program sends traces. The task lives on without it: traces are lost then, answers are not. */
export function addTraceCollector(
  task: ecs.FargateTaskDefinition,
  program: ecs.ContainerDefinition,
  logGroup: logs.ILogGroup,
): void {
  const collector = task.addContainer('traces', {
    image: ecs.ContainerImage.fromRegistry(IMAGE),
    essential: false,
    readonlyRootFilesystem: true,
    memoryLimitMiB: COLLECTOR_MIB,
    environment: { AOT_CONFIG_CONTENT: CONFIGURATION },
    logging: ecs.LogDrivers.awsLogs({
      logGroup,
      streamPrefix: 'traces',
      mode: ecs.AwsLogDriverMode.NON_BLOCKING,
    }),
  })
  // Started before the program and stopped after it: the last spans arrive.
  program.addContainerDependencies({ container: collector, condition: ecs.ContainerDependencyCondition.START })
  task.addToTaskRolePolicy(
    new iam.PolicyStatement({
      sid: 'SendTraces',
      actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
      resources: ['*'],
    }),
  )
  accept(task, {
    rule: 'AwsSolutions-IAM5',
    finding: 'Resource::*',
    reason:
      'Registry login (ecr:GetAuthorizationToken) and traces (xray:Put*) know no resources: IAM takes nothing but * for them, and neither reads anything.',
  })
}
