import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { App, type AppProps } from 'aws-cdk-lib'

/**
 * Runs `use` with an app whose templates are wanted in memory alone. The framework writes them to a folder all the same: it is gone
 * when `use` has ended, so read them there.
 */
export function withApp<Result>(
  props: Omit<AppProps, 'outdir' | 'analyticsReporting'>,
  use: (app: App) => Result,
): Result {
  const outdir = mkdtempSync(path.join(os.tmpdir(), 'rocketgames-cdk-'))
  try {
    return use(new App({ ...props, outdir, analyticsReporting: false }))
  } finally {
    rmSync(outdir, { recursive: true, force: true })
  }
}
