import { X509Certificate } from 'node:crypto'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { packageClosure } from '../../scripts/container/copy-packages.ts'
import { rdsCertificates } from '../../scripts/container/rds-certificates.ts'
import { ROOT } from '../support/service.ts'

const MODULES = path.join(ROOT, 'node_modules')

describe('the packages of the local endpoint', () => {
  it('are copied with all that they depend on, and with what this platform has of optional ones', () => {
    const found = packageClosure(MODULES, ['@duckdb/node-api', 'fast-xml-parser'])
    expect([...found]).toEqual(
      expect.arrayContaining(['@duckdb/node-api', '@duckdb/node-bindings', 'fast-xml-parser', 'strnum']),
    )
    expect([...found]).toContain(`@duckdb/node-bindings-${process.platform}-${process.arch}`)
    expect([...found]).not.toContain('@duckdb/node-bindings-darwin-arm64')
  })

  it('must be installed', () => {
    expect(() => packageClosure(MODULES, ['no-such-package'])).toThrow(/no-such-package/)
  })
})

describe('the certificate authorities of Amazon RDS', () => {
  it('are those of every region that are valid, each once, and no others', () => {
    const now = new Date('2026-11-24T00:00:00Z')
    const blocks = rdsCertificates(now).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    const found = blocks.map((pem) => new X509Certificate(pem))
    expect(found.filter(({ ca, validToDate }) => !ca || validToDate <= now)).toEqual([])
    expect(new Set(found.map(({ fingerprint256 }) => fingerprint256)).size).toBe(found.length)
    const regions = new Set(found.map(({ subject }) => /CN=Amazon RDS (\S+) /.exec(subject)?.[1]))
    expect(regions.size).toBeGreaterThan(25)
    for (const region of ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2', 'ap-southeast-2']) {
      expect(found.filter(({ subject }) => subject.includes(`RDS ${region} `)).length).toBeGreaterThanOrEqual(3)
    }
  })

  it('are refused when all of them are past their end', () => {
    expect(() => rdsCertificates(new Date('2200-01-01T00:00:00Z'))).toThrow(/valid/)
  })
})
