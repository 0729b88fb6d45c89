import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  canonicalJson,
  type Manifest,
  manifestBody,
  parseCurrent,
  parseManifest,
  sha256Hex,
} from '../../../src/lake/manifest.ts'

const manifest: Manifest = {
  manifest_version: 1,
  snapshot_id: '20261122t020000z-01kaq3c9',
  snapshot_date: '2026-11-22',
  sequence: 412,
  fence: 977,
  software: { version: '1.4.0', git_sha: null },
  previous_snapshot_id: null,
  started_at: '2026-11-22T02:00:00.000Z',
  prepared_at: '2026-11-22T02:01:00.000Z',
  source: {
    database: 'accounts',
    pg_version: '18.4',
    system_identifier: null,
    role: 'primary',
    snapshot: '10:12:',
    xmin: '10',
    xmax: '12',
    wal_lsn: '0/1',
    taken_at: '2026-11-22T02:00:01.000Z',
  },
  contract_set_fingerprint: 'a'.repeat(64),
  pseudonym_key_version: 1,
  erasure_watermark: null,
  tables: [],
  totals: { rows: 0, bytes: 0, files: 0 },
}

describe('canonical JSON', () => {
  test('does not depend on the order in which keys were set', () => {
    expect(canonicalJson({ b: 1, a: { d: [2, { f: 1, e: null }], c: 'x' } })).toBe(
      '{"a":{"c":"x","d":[2,{"e":null,"f":1}]},"b":1}',
    )
  })

  test('says the same as the value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('refuses what JSON cannot say', () => {
    expect(() => canonicalJson([undefined])).toThrow(TypeError)
    expect(() => canonicalJson({ a: Number.NaN })).toThrow(TypeError)
  })
})

describe('a manifest', () => {
  test('survives its body, and the body its manifest', () => {
    const { body, sha256 } = manifestBody(manifest)
    expect(parseManifest(body)).toEqual(manifest)
    expect(manifestBody(parseManifest(body))).toEqual({ body, sha256 })
    expect(sha256).toBe(sha256Hex(body))
  })

  test('of another version or with a missing member is refused, naming the member', () => {
    expect(() => parseManifest(JSON.stringify({ ...manifest, manifest_version: 2 }))).toThrow(/manifest_version/)
    const { totals: _, ...rest } = manifest
    expect(() => parseManifest(JSON.stringify(rest))).toThrow(/totals/)
    expect(() => parseManifest(JSON.stringify({ ...manifest, snapshot_id: 'latest' }))).toThrow(/snapshot_id/)
  })
})

test('a pointer without a checksum is refused', () => {
  const pointer = {
    manifest_version: 1,
    snapshot_id: manifest.snapshot_id,
    sequence: 1,
    manifest_sha256: 'a'.repeat(64),
  }
  expect(parseCurrent(JSON.stringify(pointer))).toEqual(pointer)
  expect(() => parseCurrent(JSON.stringify({ ...pointer, manifest_sha256: '' }))).toThrow(/manifest_sha256/)
})
