/** `node scripts/container/copy-packages.ts <to> <package> …`: installed packages with all that they depend on, into another `node_modules`. */
import { cpSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Names of packages and of what they depend on, themselves included. Optional ones count where they are installed.
 *
 * @throws Error for a package that is not installed at the top of `modules`.
 */
export function packageClosure(modules: string, names: readonly string[], found = new Set<string>()): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue
    const file = path.join(modules, name, 'package.json')
    const { dependencies = {}, optionalDependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as Manifest
    found.add(name)
    const optional = Object.keys(optionalDependencies)
    const needed = Object.keys(dependencies).filter((each) => !optional.includes(each))
    const installed = optional.filter((each) => existsSync(path.join(modules, each)))
    packageClosure(modules, [...needed, ...installed], found)
  }
  return found
}

if (import.meta.main) {
  const [to, ...names] = process.argv.slice(2)
  if (to === undefined || names.length === 0) throw new Error('Usage: copy-packages <to> <package> …')
  for (const name of packageClosure('node_modules', names)) {
    cpSync(path.join('node_modules', name), path.join(to, name), { recursive: true })
  }
}
