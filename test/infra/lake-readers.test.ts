import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPORT_CURATED, REPORT_TABLES } from '../../infra/constructs/lake-readers.ts'
import { contracts } from '../../src/lake/contract.ts'
import { partKey } from '../../src/lake/object-keys.ts'
import {
  access,
  current,
  glue,
  granted,
  lacking,
  manifest,
  need,
  part,
  place,
  plan,
  ROLES,
  ROOT,
  report,
  SNAPSHOT,
  s3,
  service,
} from './lake-roles.ts'

describe('the roles of people', () => {
  const persons = contracts.filter(({ name }) => !REPORT_TABLES.some((each) => each.name === name))
  const file = (table: string) => s3(place.bucket, partKey(table, SNAPSHOT, 0, 0))

  it('let readers of reports see tables in which nobody is, and no other', () => {
    expect(persons.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['players', 'player_games', 'studio_owners']),
    )
    expect(REPORT_TABLES.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['studios', 'games', 'game_platforms']),
    )
    const table = (name: string) => glue(`table/${place.rawDatabase}/${name}`)
    const view = (name: string) => glue(`table/${place.database}/${name}_latest`)
    const open = REPORT_TABLES.flatMap(({ name, lakeTable }) => [
      need('s3:GetObject', file(name)),
      need('glue:GetTable', table(name), view(lakeTable)),
    ])
    expect(lacking(ROLES.reports, open)).toEqual([])
    const closed = persons.flatMap(({ name, lakeTable }) => [
      need('s3:GetObject', file(name)),
      need('glue:GetTable', table(name), view(lakeTable)),
    ])
    expect(granted(ROLES.reports, closed)).toEqual([])
    expect(lacking(ROLES.analysts, [...open, ...closed])).toEqual([])
  })

  it('name curated tables for reports whose columns are those of no person', () => {
    const guide = readFileSync(path.join(ROOT, 'docs/curated.md'), 'utf8')
    for (const name of REPORT_CURATED) {
      const [, section = ''] = guide.split(`\n### ${name}\n`)
      const columns = [...(section.split('\n###')[0] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(
        ([, column = '']) => column,
      )
      expect(columns.length, name).toBeGreaterThan(5)
      expect(
        columns.filter((column) => /(^(player|owner|actor|entity)_ref|^entry_id|^username|^email)$/.test(column)),
        name,
      ).toEqual([])
      expect(lacking(ROLES.reports, [need('s3:GetObject', s3(place.bucket, `curated/v1/${name}/run_id=x/p`))])).toEqual(
        [],
      )
    }
    const others = ['dim_player', 'library_history', 'fact_library', 'fact_daily_activity']
    const keys = others.map((name) => s3(place.bucket, `curated/v1/${name}/run_id=x/p`))
    expect(granted(ROLES.reports, [need('s3:GetObject', ...keys)])).toEqual([])
  })

  it('let nobody read the results of another group, nor write the lake', () => {
    const folders = { analysts: 'analysts', reports: 'reports', engineers: 'admin' } as const
    for (const [name, folder] of Object.entries(folders)) {
      const role = ROLES[name as keyof typeof folders]
      const result = (of: string) => s3(place.results, `${of}/0f.csv`)
      expect(lacking(role, [need('s3:GetObject', result(folder)), need('s3:PutObject', result(folder))])).toEqual([])
      const others = ['service', 'analysts', 'reports', 'admin'].filter((each) => each !== folder)
      expect(granted(role, [need('s3:GetObject', ...others.map(result))])).toEqual([])
      expect(granted(role, [need('s3:PutObject', part, manifest, current), need('s3:DeleteObject', part)])).toEqual([])
      expect(granted(role, [need('athena:StartQueryExecution', ...service)])).toEqual([])
    }
  })

  it('let engineers run the jobs again as they are, and give none of them other code', () => {
    const jobs = ['curate', 'unload'].map((name) => glue(`job/rocketgames-${name}`))
    const again = [
      need('glue:StartWorkflowRun', glue('workflow/rocketgames-curate')),
      need('glue:GetJobRun', ...jobs.slice(0, 1)),
    ]
    expect(lacking(ROLES.engineers, again)).toEqual([])
    for (const name of ['analysts', 'reports', 'engineers'] as const) {
      const not = ['glue:StartJobRun', 'glue:UpdateJob', 'glue:CreateSession', 'iam:PassRole']
      expect(
        granted(
          ROLES[name],
          not.map((action) => need(action, ...jobs)),
        ),
      ).toEqual([])
    }
  })

  it('let nobody of them read a secret or a plan', () => {
    const secrets = access.resources.filter(({ type }) => type === 'AWS::SecretsManager::Secret').map(({ arn }) => arn)
    expect(secrets.length).toBeGreaterThan(4)
    for (const name of ['analysts', 'reports', 'engineers'] as const) {
      const not = [need('secretsmanager:GetSecretValue', ...secrets), need('s3:GetObject', plan, report)]
      expect(granted(ROLES[name], not)).toEqual([])
    }
  })
})
