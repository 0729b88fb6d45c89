import { describe, expect, it } from 'vitest'
import { type ComposeService, composeFile } from '../../scripts/container/compose-file.ts'
import { parseConfig } from '../../src/config.ts'
import { SETTINGS } from '../../src/settings.ts'
import { ROOT } from '../support/service.ts'

const file = composeFile(ROOT)
const services = Object.entries(file.services)
const ours = services.filter(([, service]) => service.build !== undefined)
const named = (name: string) => file.services[name] as ComposeService
const settings = (name: string) =>
  Object.fromEntries(Object.entries(named(name).environment ?? {}).map(([key, value]) => [key, String(value)]))

describe('compose.yaml', () => {
  it('gives every service of ours no more rights than it needs', () => {
    expect(ours.map(([name]) => name)).toEqual(['aws', 'migrate', 'accounts-1', 'accounts-2', 'exporter'])
    for (const [name, service] of ours) {
      expect({ name, ...service }).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  it('listens on loopback only', () => {
    const ports = services.flatMap(([, service]) => service.ports ?? [])
    expect(ports.length).toBeGreaterThan(5)
    expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([])
  })

  it('starts a service when what it needs is healthy or done', () => {
    // The image says itself when it is healthy.
    const healthy = [
      ...services.filter(([, service]) => service.healthcheck !== undefined).map(([name]) => name),
      'aws',
    ]
    for (const [, { depends_on = {} }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        if (name === 'migrate') expect(condition).toBe('service_completed_successfully')
        else
          expect({ name, condition, healthy: healthy.includes(name) }).toMatchObject({
            condition: 'service_healthy',
            healthy: true,
          })
      }
    }
    expect(Object.keys(named('proxy').depends_on ?? {})).toEqual(['accounts-1', 'accounts-2'])
  })

  it.each(['aws', 'migrate', 'accounts-1', 'exporter'])('gives %s settings that exist and can be used', (name) => {
    const others = /^(CREDENTIALS|AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)$/
    expect(Object.keys(settings(name)).filter((each) => !SETTINGS.includes(each) && !others.test(each))).toEqual([])
    expect(() => parseConfig(settings(name))).not.toThrow()
  })

  it('gives both replicas the same, and each command no secret that it does not use', () => {
    expect(named('accounts-2')).toEqual(named('accounts-1'))
    expect(Object.keys(settings('migrate')).filter((each) => /PEPPER|CURSOR|PSEUDONYM|AWS/.test(each))).toEqual([])
    expect(Object.keys(settings('exporter')).filter((each) => /PEPPER|CURSOR/.test(each))).toEqual([])
  })

  it('logs the users in that migrate makes', () => {
    const made = parseConfig(settings('migrate')).databaseUsers
    const login = (name: string) => {
      const { password, username } = new URL(settings(name).DATABASE_URL ?? '')
      return { user: username, password }
    }
    expect([login('accounts-1'), login('exporter')]).toEqual([made.service, made.exporter])
    const { POSTGRES_PASSWORD, POSTGRES_USER } = settings('database')
    expect(login('migrate')).toEqual({ user: POSTGRES_USER, password: POSTGRES_PASSWORD })
  })

  it('kills a replica later than it needs to stop by itself', () => {
    const { shutdownDelayMs, shutdownGraceMs } = parseConfig(settings('accounts-1'))
    const childGraceMs = 10_000
    const given = Number(/^(\d+)s$/.exec(named('accounts-1').stop_grace_period ?? '')?.[1]) * 1000
    expect(given).toBeGreaterThan(shutdownDelayMs + shutdownGraceMs + childGraceMs)
  })

  it('has the proxy look at both replicas', () => {
    const content = file.configs.haproxy?.content ?? ''
    expect([...content.matchAll(/^ *server (\S+) (\S+)/gm)].map((match) => match[2])).toEqual([
      'accounts-1:3000',
      'accounts-2:3000',
    ])
    expect(content).toContain('option httpchk GET /readyz')
  })
})
