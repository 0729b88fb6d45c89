import path from 'node:path'
import type { Command } from 'commander'
import { parseConfig } from '../config.ts'
import { createLogger } from '../logger.ts'
import { ownSettings } from './environment.ts'
import { print, say, shellQuote } from './terminal.ts'

/** `rocketgames local`: the S3, Glue and Athena endpoint alone, until it is told to stop. */
export function addLocalCommand(program: Command): void {
  program
    .command('local')
    .description('run only the local S3, Glue and Athena endpoint, and print export lines for it')
    .action(async () => {
      const { local, logLevel } = parseConfig(ownSettings(process.env))
      const { startLocalAws } = await import('../local/aws/launcher.ts')
      const endpoint = await startLocalAws({
        dir: path.resolve(local.dataDir),
        port: local.awsPort,
        log: createLogger({ level: logLevel === 'info' ? 'warn' : logLevel }),
      })
      const values = {
        AWS_ENDPOINT_URL: endpoint.endpoint,
        AWS_REGION: endpoint.region,
        // boto3 and what is built on it read no other name
        AWS_DEFAULT_REGION: endpoint.region,
        AWS_ACCESS_KEY_ID: endpoint.accessKeyId,
        AWS_SECRET_ACCESS_KEY: endpoint.secretAccessKey,
      }
      for (const [name, value] of Object.entries(values)) print(`export ${name}=${shellQuote(value)}`)
      say(`S3, Glue and Athena on ${endpoint.endpoint}; Ctrl-C stops them.`)
      let asked = false
      const stop = () => {
        asked = true
        void endpoint.stop()
      }
      process.once('SIGINT', stop).once('SIGTERM', stop)
      const { code, signal } = await endpoint.exited
      if (!asked)
        throw new Error(`The local S3, Glue and Athena endpoint stopped by itself (${signal ?? `code ${code}`}).`)
    })
}
