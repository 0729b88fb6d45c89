/**
 * `npm run generate:client`: writes the types of the client from the API document that this very checkout publishes.
 *
 * openapi-typescript prints its output with the compiler API of TypeScript, which TypeScript 7 does not have: the one that ts-morph
 * carries stands in.
 */
import { writeFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { wholeDocument } from '../test/support/whole-document.ts'
import { clientDocument, operationsWithKey } from './client-document.ts'
import { readOptions } from './read-options.ts'

const compiler = pathToFileURL(createRequire(import.meta.url).resolve('@ts-morph/common/dist/typescript.js')).href

/** The text of `src/client/generated-api.ts`. */
export async function generatedClient(): Promise<string> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === 'typescript' ? { url: compiler, shortCircuit: true } : next(specifier, context),
  })
  try {
    const { default: openapiTypescript, astToString } = await import('openapi-typescript')
    const document = wholeDocument()
    const types = astToString(
      await openapiTypescript(clientDocument(document) as never, { alphabetize: false, defaultNonNullable: false }),
    )
    const keys = operationsWithKey(document).map((operation) => `  '${operation}',\n`)
    return [
      '// Made by `npm run generate:client` from the API document; changes are lost.\n// biome-ignore-all lint: made by a tool\n// biome-ignore-all format: made by a tool\n',
      types,
      '\n/** The operations that an Idempotency-Key makes safe to repeat. */\n',
      `export const operationsWithKey: ReadonlySet<string> = new Set([\n${keys.join('')}])\n`,
    ].join('\n')
  } finally {
    hooks.deregister()
  }
}

if (import.meta.main) {
  readOptions(
    { usage: 'npm run generate:client', about: 'Writes src/client/generated-api.ts', options: {} },
    process.argv.slice(2),
  )
  writeFileSync(new URL('../src/client/generated-api.ts', import.meta.url), await generatedClient())
}
