/**
 * `npm run proof -- <name> [more vitest arguments]`: the tests whose file or folder name contains <name>, at full counts.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'

const [name, ...more] = process.argv.slice(2)
const isHelp = name === '--help' || name === '-h'
if (name === undefined || name.startsWith('-')) {
  const usage = `Usage: npm run proof -- <part of a test file name> [more vitest arguments]
For example: npm run proof -- steam
`
  ;(isHelp ? process.stdout : process.stderr).write(usage)
  process.exit(isHelp ? 0 : 2)
}
const vitest = path.resolve(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', name, '--reporter=verbose', '--testTimeout=3600000', ...more], {
  stdio: 'inherit',
  env: { ...process.env, PROOF: 'full' },
})
child.once('close', (code) => {
  process.exitCode = code ?? 1
})
