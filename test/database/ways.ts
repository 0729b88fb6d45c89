import type { Database } from '../../src/database/database.ts'

/** All ways to a connection: whatever keeps it from being made, each of them tells in the same words. */
export const WAYS: Readonly<Record<string, (database: Database) => Promise<unknown>>> = {
  'a raw query': ({ prisma }) => prisma.$queryRaw`SELECT 1`,
  'a raw query as text': ({ prisma }) => prisma.$queryRawUnsafe('SELECT 1'),
  'a raw statement': ({ prisma }) => prisma.$executeRaw`SELECT 1`,
  'a model': ({ prisma }) => prisma.studio.findFirst(),
  'a transaction': (database) => database.transaction((tx) => tx.$queryRaw`SELECT 1`),
  'a connection': (database) => database.withClient((client) => client.query('SELECT 1')),
  'a ping': (database) => database.ping(),
}
