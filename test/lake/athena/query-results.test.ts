import { describe, expect, it } from 'vitest'
import { csvHeader, csvLine, isHeader, resultRow, resultValue } from '../../../src/lake/athena/query-results.ts'
import { labelled, queryRun } from '../../../src/lake/athena/query-run.ts'

const columns = [
  { name: 'name', type: 'varchar' },
  { name: 'n', type: 'bigint' },
]

describe('values of a result', () => {
  it.each([
    ['5', 'bigint', 5],
    ['9223372036854775807', 'bigint', '9223372036854775807'],
    ['-0.5', 'double', -0.5],
    ['NaN', 'double', 'NaN'],
    ['true', 'boolean', true],
    ['0.10', 'decimal', '0.10'],
    ['', 'varchar', ''],
    [undefined, 'varchar', null],
  ])('%s as %s', (text, type, value) => {
    expect(resultValue(text, type)).toBe(value)
  })

  it('of a row that lacks cells are NULL', () => {
    expect(resultRow({ Data: [{ VarCharValue: 'a' }] }, columns)).toEqual(['a', null])
  })

  it('are told from the header row', () => {
    expect(isHeader({ Data: [{ VarCharValue: 'name' }, { VarCharValue: 'n' }] }, columns)).toBe(true)
    expect(isHeader({ Data: [{ VarCharValue: 'name' }, {}] }, columns)).toBe(false)
    expect(isHeader(undefined, columns)).toBe(false)
  })
})

describe('CSV of a result', () => {
  it('quotes what needs it, and empty text, so that NULL differs', () => {
    expect(csvLine(['a "b", c', null], columns)).toBe('"a ""b"", c",\r\n')
    expect(csvLine(['', 1], columns)).toBe('"",1\r\n')
    expect(csvLine(['two\nlines', 0], columns)).toBe('"two\nlines",0\r\n')
  })

  it('disarms formulas in text but leaves negative numbers alone', () => {
    expect(csvLine(['=1+1', -5], columns)).toBe("'=1+1,-5\r\n")
    expect(csvHeader([{ name: '@x', type: 'bigint' }])).toBe("'@x\r\n")
  })
})

describe('a run', () => {
  it('carries the name of its saved query in a comment that callers do not see', () => {
    expect(queryRun({ Query: labelled('library-sources', 'SELECT 1') })).toMatchObject({
      name: 'library-sources',
      sql: 'SELECT 1',
    })
    expect(queryRun({ Query: 'SELECT 1' }).name).toBeNull()
  })

  it('that the work group cut for its bytes has failed with budget-exceeded', () => {
    const StateChangeReason = 'Query exhausted resources: Bytes scanned limit was exceeded'
    expect(queryRun({ Status: { State: 'CANCELLED', StateChangeReason } })).toMatchObject({
      state: 'failed',
      problem: { code: 'budget-exceeded' },
    })
    expect(queryRun({ Status: { State: 'CANCELLED' } })).toMatchObject({ state: 'cancelled', problem: null })
  })

  it('that failed tells the code of the engine', () => {
    const Status = { State: 'FAILED' as const, StateChangeReason: 'TABLE_NOT_FOUND: line 1:15: no such table' }
    expect(queryRun({ Status }).problem).toMatchObject({ code: 'query-failed', engineCode: 'TABLE_NOT_FOUND' })
  })
})
