import { apiKeyRoutes } from '../../src/accounts/api-keys/api-key-routes.ts'
import { accountsApi } from '../../src/commands/accounts.ts'
import { apiInfo } from '../../src/commands/api-info.ts'
import { software } from '../../src/commands/composition.ts'
import { createApp } from '../../src/http/app.ts'
import { lakeRoutes } from '../../src/lake/lake-routes.ts'
import { createLogger } from '../../src/logger.ts'
import { Metrics } from '../../src/metrics.ts'
import type { ApiDocument } from './api-document.ts'

/** Stands where services would: may be passed around and asked for members, since only a request would use them. */
const unused = new Proxy(() => unused, { get: (_, name) => (name === 'then' ? undefined : unused) }) as never

/** The document of everything that the program serves, without a database. */
export function wholeDocument(): ApiDocument {
  const accounts = accountsApi(unused)
  const app = createApp({
    info: apiInfo(software().version),
    groups: [...accounts.groups, apiKeyRoutes(unused), lakeRoutes(unused, unused)],
    enums: accounts.enums,
    authenticator: unused,
    cursorKey: Buffer.alloc(32),
    idempotency: unused,
    checks: [],
    logger: createLogger({ level: 'silent' }),
    metrics: new Metrics(),
  })
  return app.document as unknown as ApiDocument
}
