#!/usr/bin/env node
// Runs the command line on the Node version of the project: npm puts node_modules/.bin first in PATH, so `npx rocketgames`
// already is on it; when started by an older Node directly, the program says which command to use instead.
import { existsSync } from 'node:fs'

const built = new URL('../dist/main.js', import.meta.url)
const source = new URL('../src/main.ts', import.meta.url)
if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(
    `rocketgames needs Node 24 or newer, this is ${process.versions.node}: use "npx rocketgames" or "npm start".\n`,
  )
  process.exit(2)
}
await import(existsSync(source) ? source.href : built.href)
