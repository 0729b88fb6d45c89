import type { Command } from 'commander'
import type { ApiKey } from '../accounts/api-keys/api-key.ts'
import { SCOPES } from '../caller.ts'
import { operator, withDatabase } from './composition.ts'
import { print, say, table } from './terminal.ts'

const day = (time: Date | null) => time?.toISOString().slice(0, 16).replace('T', ' ') ?? ''

function stateOf(key: ApiKey): string {
  if (key.revokedAt !== null) return 'revoked'
  return key.expiresAt < new Date() ? 'expired' : 'active'
}

export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('API keys: create, list, rotate, revoke')

  keys
    .command('create')
    .description('make a key; it is printed once and cannot be had again')
    .requiredOption('--name <text>', 'what it is for, for the audit trail')
    .option('--scopes <list>', 'comma-separated; "all" for every scope', 'all')
    .option('--days <n>', 'how long it is valid, 1-366', '365')
    .addHelpText('after', `\nScopes: ${SCOPES.join(', ')}`)
    .action(async ({ name, scopes, days }: { name: string; scopes: string; days: string }) => {
      const wanted = scopes === 'all' ? SCOPES : scopes.split(',').map((s) => s.trim())
      await withDatabase(async ({ keys: service }) => {
        const { key, token } = await service.create({ name, scopes: wanted, validDays: Number(days) }, operator())
        say(`Key ${key.id}, valid until ${day(key.expiresAt)} UTC. Keep it now: it is not stored and not shown again.`)
        print(token)
      })
    })

  keys
    .command('list')
    .description('every key, without its secret')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      await withDatabase(async ({ keys: service }) => {
        const all = await service.list(operator())
        if (json) return print(JSON.stringify(all, null, 2))
        const rows = all.map((k) => [
          k.id,
          k.name,
          stateOf(k),
          k.scopes.length === SCOPES.length ? 'all' : k.scopes.join(' '),
          day(k.createdAt),
          day(k.expiresAt),
          day(k.lastUsedAt),
        ])
        print(table(['id', 'name', 'state', 'scopes', 'created', 'expires', 'last used'], rows))
      })
    })

  keys
    .command('rotate <id>')
    .description('make a key that takes the place of this one, which lives a day more')
    .action(async (id: string) => {
      await withDatabase(async ({ keys: service }) => {
        const { key, token, replaced } = await service.rotate(id, operator())
        say(
          `Key ${key.id}, valid until ${day(key.expiresAt)} UTC, takes the place of ${id}, which ends ${day(replaced.expiresAt)} UTC.`,
        )
        say('Keep it now: it is not stored and not shown again.')
        print(token)
      })
    })

  keys
    .command('revoke <id>')
    .description('end a key; holds for the next request')
    .option('--reason <text>', 'for the audit trail')
    .action(async (id: string, { reason }: { reason?: string }) => {
      await withDatabase(async ({ keys: service }) => {
        const key = await service.revoke(id, operator(), reason ?? null)
        print(`Key ${key.id} was revoked at ${day(key.revokedAt)} UTC.`)
      })
    })
}
