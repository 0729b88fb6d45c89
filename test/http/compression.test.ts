import type { Request } from 'express'
import { describe, expect, it } from 'vitest'
import { codingFor } from '../../src/http/compression.ts'

const chosen = (header: string | undefined) => codingFor({ get: () => header } as unknown as Request)

describe('the coding of an answer', () => {
  it('is the cheapest of those that the client likes best, in whatever order it names them', () => {
    expect(chosen('gzip, deflate, br, zstd')).toBe('zstd')
    expect(chosen('zstd;q=0.5, gzip;q=0.8')).toBe('gzip')
    expect(chosen('GZIP')).toBe('gzip')
    expect(chosen('*')).toBe('zstd')
    expect(chosen('zstd;q=0, *')).toBe('gzip')
    expect(chosen('gzip, identity;q=0.5')).toBe('gzip')
  })

  it('is none where the client takes none of ours, or would rather have none', () => {
    for (const header of [undefined, '', 'identity', 'br, deflate', 'gzip;q=0', '*;q=0', 'gzip;q=0.2, identity']) {
      expect(chosen(header)).toBeUndefined()
    }
  })
})
