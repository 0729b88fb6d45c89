import { enableCompileCache } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import { AppError, describe, UsageError } from './errors.ts'

/**
 * The command line. Exit codes: 0 done; 1 the work failed or found something wrong; 2 it could not run at all (usage, settings,
 * something it needs is away); 130 interrupted.
 */
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `RocketGames needs Node 24 or newer, this is ${process.versions.node}: use npm start or npx rocketgames.\n`,
  )
  process.exit(2)
}

// A heap that streams pass through may grow by half of what is alive before it is cleaned. V8 lets small ones grow to four times
// that, and what a long import leaves behind then makes the process twice as large; cleaning sooner costs nothing that shows.
setFlagsFromString('--heap-growing-percent=50')

// Each start and each child compiles the same sources; where the cache cannot be written nothing is lost. Children that are no
// `rocketgames` of their own, the local endpoint's, know it by their environment.
const { directory } = enableCompileCache()
if (directory !== undefined) process.env.NODE_COMPILE_CACHE ??= directory
const { run } = await import('./commands/program.ts')
try {
  await run(process.argv)
} catch (thrown) {
  const { databaseError } = await import('./database/constraint-errors.ts')
  // A call to AWS that cannot connect looks like a database that is away; the SDK marks its own errors.
  const error = '$metadata' in Object(thrown) ? thrown : databaseError(thrown)
  process.stderr.write(`${describe(error)}\n`)
  if (error instanceof AppError) {
    for (const { pointer, parameter, detail, code } of error.errors) {
      process.stderr.write(`  ${[pointer || parameter, detail ?? code].filter(Boolean).join(': ')}\n`)
    }
  }
  const cannotRun = error instanceof UsageError || (error instanceof AppError && error.code === 'unavailable')
  process.exitCode = cannotRun ? 2 : 1
}
