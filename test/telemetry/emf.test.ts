import { describe, expect, it } from 'vitest'
import { emfLines } from '../../src/telemetry/emf.ts'
import { emfProblems, metricsOf } from '../support/emf-check.ts'

const at = new Date('2026-11-24T10:00:00Z')
const emf = (metrics: Parameters<typeof emfLines>[0]) => emfLines(metrics, { stage: 'prod', at })

describe('a line in the embedded metric format', () => {
  it('says where a metric goes, of which stage, when and in which unit', () => {
    const [line = ''] = emf([{ name: 'Requests', unit: 'Count', value: 7 }])
    expect(JSON.parse(line)).toEqual({
      _aws: {
        Timestamp: 1_795_514_400_000,
        CloudWatchMetrics: [
          {
            Namespace: 'RocketGames/Accounts',
            Dimensions: [['Stage']],
            Metrics: [{ Name: 'Requests', Unit: 'Count' }],
          },
        ],
      },
      Stage: 'prod',
      Requests: 7,
    })
  })

  it('keeps every value of many, 100 a line at most, and says nothing where there is none', () => {
    const times = Array.from({ length: 250 }, (_, n) => n / 10)
    const lines = emf([
      { name: 'RequestTime', unit: 'Milliseconds', value: times },
      { name: 'Empty', unit: 'Milliseconds', value: [] },
      { name: 'Requests', unit: 'Count', value: 250 },
    ])
    expect(lines).toHaveLength(4)
    expect(lines.flatMap(emfProblems)).toEqual([])
    const found = lines.map(metricsOf)
    expect(found.flatMap(({ RequestTime = [] }) => RequestTime)).toEqual(times)
    expect(found.flatMap(({ Requests = [] }) => Requests)).toEqual([250])
  })

  it('names at most 100 metrics', () => {
    const lines = emf(Array.from({ length: 130 }, (_, n) => ({ name: `M${n}`, unit: 'None' as const, value: n })))
    expect(lines).toHaveLength(2)
    expect(lines.flatMap(emfProblems)).toEqual([])
  })
})

describe('the check of such lines', () => {
  it.each([
    ['{', 'is no JSON'],
    ['{"_aws":{"Timestamp":"now"}}', 'Timestamp'],
    [
      '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"A"}]}]},"A":1}',
      'dimension S',
    ],
    [
      `{"S":"x","_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"A"}]}]},"A":[${Array(101).fill(1)}]}`,
      '101 values',
    ],
    [
      '{"S":"x","_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[["S"]],"Metrics":[{"Name":"A"}]}]}}',
      'A is no number',
    ],
  ])('finds what is wrong with %j', (line, problem) => {
    expect(emfProblems(line).join()).toContain(problem)
  })
})
