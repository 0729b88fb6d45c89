import pg from 'pg'
import { expect, test } from 'vitest'
import { jdbcAddress } from '../../../src/lake/snapshot/jdbc-address.ts'

const NAME = 'rocketgames-snapshot:20261123t020000z-01kaq3c9'

/** Of a connection that is never opened. */
function address(url: string) {
  const told = jdbcAddress(new pg.Client({ connectionString: url }), url, NAME)
  const { host, pathname, searchParams } = new URL(told.url.replace(/^jdbc:/, ''))
  return { ...told, host, pathname, parameters: Object.fromEntries(searchParams) }
}

test('an address has host, port, database and the name of the run, and no credentials', () => {
  const told = address('postgres://reader:p%40ss@db.example.com:6432/acc%20ounts?connect_timeout=3')
  expect(told).toMatchObject({
    user: 'reader',
    password: 'p@ss',
    host: 'db.example.com:6432',
    pathname: '/acc%20ounts',
  })
  expect(told.url).not.toMatch(/reader|ss@|p%40/)
  expect(told.parameters).toEqual({ ApplicationName: NAME, sslmode: 'disable' })
  expect(address('postgres://reader@[::1]:5432/d').host).toBe('[::1]:5432')
})

test.each([
  ['sslmode=verify-full', { sslmode: 'verify-full', sslfactory: 'org.postgresql.ssl.DefaultJavaSSLFactory' }],
  ['uselibpqcompat=true&sslmode=require', { sslmode: 'require' }],
  ['sslmode=no-verify', { sslmode: 'require' }],
  [
    `uselibpqcompat=true&sslmode=verify-ca&sslrootcert=${import.meta.filename}`,
    { sslmode: 'verify-ca', sslrootcert: import.meta.filename },
  ],
  [
    `sslmode=verify-full&sslrootcert=${import.meta.filename}`,
    { sslmode: 'verify-full', sslrootcert: import.meta.filename },
  ],
])('Java checks the server as this program does: %s', (parameters, expected) => {
  expect(address(`postgres://u@h:1/d?${parameters}`).parameters).toEqual({ ApplicationName: NAME, ...expected })
})

test('a Unix socket is refused by name', () => {
  const client = new pg.Client({ host: '/var/run/postgresql', user: 'u', database: 'd' })
  expect(() => jdbcAddress(client, '', NAME)).toThrow(/Unix socket/)
})
