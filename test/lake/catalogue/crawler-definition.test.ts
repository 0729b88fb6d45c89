import { describe, expect, it } from 'vitest'
import { crawlerDefinition, crawlerDifferences } from '../../../src/lake/catalogue/crawler-definition.ts'
import { contracts } from '../../../src/lake/contract.ts'

const definition = crawlerDefinition(contracts, {
  name: 'rocketgames-lake-v1',
  role: 'arn:aws:iam::123456789012:role/rocketgames-crawler',
  bucket: 'lake-bucket',
  database: 'rocketgames_raw',
})

describe('the crawler', () => {
  it('has one target a table, and none above the tables', () => {
    expect(definition.Targets?.S3Targets?.map((target) => target.Path)).toEqual(
      contracts.map((contract) => `s3://lake-bucket/lake/v1/${contract.name}/`),
    )
  })

  it('finds tables at the fourth level and one more than there are', () => {
    const configuration = JSON.parse(definition.Configuration ?? '')
    expect(configuration.Grouping.TableLevelConfiguration).toBe(4)
    expect('lake-bucket/lake/v1/players/'.split('/').indexOf('players') + 1).toBe(4)
    expect(configuration.CrawlerOutput.Tables.TableThreshold).toBe(contracts.length + 1)
  })

  it('has no schedule', () => {
    expect(definition.Schedule).toBeUndefined()
  })

  it('equals itself as Glue shows it: role without path, other order of targets and members', () => {
    const found = {
      ...definition,
      Role: 'rocketgames-crawler',
      Schedule: {},
      Targets: { S3Targets: [...(definition.Targets?.S3Targets ?? [])].reverse(), JdbcTargets: [] },
      Configuration: JSON.stringify(
        Object.fromEntries(Object.entries(JSON.parse(definition.Configuration ?? '')).reverse()),
      ),
    }
    expect(crawlerDifferences(found, definition)).toEqual([])
  })

  it('differs, setting by setting, when somebody has changed it', () => {
    const found = {
      ...definition,
      Schedule: { ScheduleExpression: 'cron(0 2 * * ? *)' },
      Targets: { S3Targets: definition.Targets?.S3Targets?.slice(1) },
      SchemaChangePolicy: { UpdateBehavior: 'LOG' as const, DeleteBehavior: 'LOG' as const },
    }
    expect(crawlerDifferences(found, definition).map((each) => each.setting)).toEqual([
      'Targets',
      'SchemaChangePolicy',
      'Schedule',
    ])
  })
})
