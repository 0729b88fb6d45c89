import path from 'node:path'
import type { Command } from 'commander'
import { parseConfig } from '../config.ts'
import { UsageError } from '../errors.ts'
import { ownSettings } from './environment.ts'
import { print, shellQuote } from './terminal.ts'

/** `rocketgames env`: export lines by which curl, psql, the AWS CLI and boto3 reach what runs on the data folder. */
export function addEnvCommand(program: Command): void {
  program
    .command('env')
    .description('print export lines for the running embedded service: eval "$(npx rocketgames env)"')
    .option('--json', 'one JSON object instead of export lines')
    .action(async (options: { json?: boolean }) => {
      const { findRunning } = await import('../local/running.ts')
      const dir = path.resolve(parseConfig(ownSettings(process.env)).local.dataDir)
      const running = findRunning(dir)
      if (!running)
        throw new UsageError(`Nothing runs on ${dir}: start it with "npm start", or name its folder in LOCAL_DATA_DIR`)
      if (options.json) return print(JSON.stringify(running.values, null, 2))
      for (const [name, value] of Object.entries(running.values)) print(`export ${name}=${shellQuote(value)}`)
    })
}
