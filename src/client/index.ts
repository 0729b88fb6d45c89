/** `rocketgames-accounts/client`: the API, typed. */
export { type AccountsClient, type Answer, type ClientOptions, createClient, type Schemas } from './client.ts'
export type { ExportTotals } from './export-stream.ts'
export type { ImportLine, ImportQuery, ImportResource, ImportStream, ImportTotals } from './import-stream.ts'
export { IncompleteStreamError, type Problem, ProblemError } from './problem-error.ts'
export type { RetryOptions } from './retrying-fetch.ts'
