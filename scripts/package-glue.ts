/**
 * `npm run package:glue [folder]`: what AWS Glue gets, into `dist/glue` or the folder given. The scripts go to S3 as they are, one a job;
 * `rocketgames_glue.zip` is their `--extra-py-files`, with the contract inside. Equal sources make equal bytes.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { generatedContract } from './generate-contract.ts'
import { readFolder } from './read-options.ts'
import { zipFile } from './zip-file.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const JOBS = path.join(ROOT, 'glue-jobs')
const PACKAGE = 'rocketgames_glue'
const SOURCE = /\.(py|json)$/

/** Paths below `glue-jobs`, in the same order on every machine. */
function packageFiles(folder: string): string[] {
  const entries = readdirSync(path.join(JOBS, folder), { withFileTypes: true })
  const found = entries.flatMap((entry) => {
    const name = `${folder}/${entry.name}`
    if (entry.isDirectory()) return packageFiles(name)
    return SOURCE.test(entry.name) ? [name] : []
  })
  return found.sort()
}

/** Writes them. @throws Error when `contract.json` is not what `datasets.ts` says: jobs would refuse the next snapshots. */
export function packageGlue(folder: string): void {
  if (readFileSync(path.join(JOBS, PACKAGE, 'contract.json'), 'utf8') !== generatedContract()) {
    throw new Error('contract.json is older than src/lake/datasets.ts: run "npm run generate:contract"')
  }
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const scripts = readdirSync(JOBS).filter((name) => name.endsWith('.py'))
  for (const name of scripts) cpSync(path.join(JOBS, name), path.join(folder, name))
  const entries = packageFiles(PACKAGE).map((name) => ({ name, content: readFileSync(path.join(JOBS, name)) }))
  writeFileSync(path.join(folder, `${PACKAGE}.zip`), zipFile(entries))
}

if (import.meta.main) {
  const program = {
    usage: 'npm run package:glue -- [folder]',
    about: 'Puts what AWS Glue gets into the folder (default dist/glue)',
  }
  packageGlue(path.resolve(ROOT, readFolder(program, process.argv.slice(2)) ?? 'dist/glue'))
}
