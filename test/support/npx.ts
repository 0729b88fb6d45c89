import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './service.ts'

/**
 * A search path on which `npx rocketgames` of an example starts the program at once: npm takes a second of CPU to find it, each time.
 * That npm does find it is proven by an example that is run without this.
 *
 * @param folder gets a folder of its own in it
 */
export function quickNpx(folder: string): string {
  const bin = path.join(folder, 'quick-npx')
  mkdirSync(bin, { recursive: true })
  const program = path.join(bin, 'npx')
  const started = `exec '${process.execPath}' '${path.join(ROOT, 'bin/rocketgames.mjs')}' "$@"`
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = rocketgames ] || { echo "npx $1: only rocketgames is here" >&2; exit 2; }\nshift\n${started}\n`,
  )
  chmodSync(program, 0o755)
  return `${bin}:${path.join(ROOT, 'node_modules/.bin')}:${process.env.PATH}`
}
