import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { generatedClient } from '../../scripts/generate-client.ts'

it('the types of the client are those of the API document; npm run generate:client makes them anew', async () => {
  const written = readFileSync(new URL('../../src/client/generated-api.ts', import.meta.url), 'utf8')
  const now = await generatedClient()
  expect(written === now).toBe(true)
})
