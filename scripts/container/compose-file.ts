import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

// It has no types of its own.
const { load } = createRequire(import.meta.url)('js-yaml') as { load(text: string): unknown }

export interface ComposeService {
  readonly image: string
  readonly build?: { readonly target: string }
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly ports?: readonly string[]
  readonly profiles?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly stop_grace_period?: string
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly configs: Readonly<Record<string, { readonly content: string }>>
}

const VARIABLE = /\$(?:\$|\{([A-Z_]+)(?::-([^}]*))?\})/g

/** Compose's interpolation, as far as the file uses it: `${NAME:-default}`, and `$$` for a dollar sign. */
function interpolated(value: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(VARIABLE, (all, name?: string, fallback = '') => {
      return name === undefined ? all.slice(1) : env[name] || fallback
    })
  }
  if (Array.isArray(value)) return value.map((each) => interpolated(each, env))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, interpolated(each, env)]))
}

/** `compose.yaml` of a folder as Docker Compose reads it. */
export function composeFile(folder: string, env: NodeJS.ProcessEnv = {}): ComposeFile {
  return interpolated(load(readFileSync(path.join(folder, 'compose.yaml'), 'utf8')), env) as ComposeFile
}
