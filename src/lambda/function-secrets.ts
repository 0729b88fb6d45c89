import { z } from 'zod'
import { UsageError } from '../errors.ts'

/** Settings whose values are secrets: the setting's name, the secret that holds it, and the field where that is a JSON object. */
const references = z.record(
  z.string(),
  z.strictObject({ secret: z.string().min(1), field: z.string().min(1).optional() }),
)

const TIMEOUT_MS = 5_000

export interface SecretsEnvironment {
  /** JSON of `references`; absent: there are none. */
  readonly FUNCTION_SECRETS?: string | undefined
  readonly AWS_SESSION_TOKEN?: string | undefined
  readonly PARAMETERS_SECRETS_EXTENSION_HTTP_PORT?: string | undefined
}

/**
 * The values of secret settings, from the AWS Parameters and Secrets Lambda Extension, which listens beside the function once that
 * has its first event and keeps what it fetched for some minutes: a rotated password is seen after that time.
 *
 * @throws UsageError naming the setting that cannot be had; never a value
 */
export async function fetchSecrets(env: SecretsEnvironment): Promise<Record<string, string>> {
  if (!env.FUNCTION_SECRETS) return {}
  const parsed = references.safeParse(parseJson(env.FUNCTION_SECRETS))
  if (!parsed.success) {
    throw new UsageError('FUNCTION_SECRETS must be a JSON object such as {"CURSOR_KEY":{"secret":"<ARN>"}}')
  }
  // Several settings may be fields of one secret.
  const texts = new Map<string, Promise<string>>()
  for (const { secret } of Object.values(parsed.data)) {
    if (!texts.has(secret)) texts.set(secret, secretText(secret, env))
  }
  const values = Object.entries(parsed.data).map(async ([name, { secret, field }]) => {
    try {
      return [name, fieldOf((await texts.get(secret)) ?? '', field)] as const
    } catch (cause) {
      throw new UsageError(
        `${name} cannot be had from its secret: is the extension a layer of the function, and may its role read it?`,
        {
          cause,
        },
      )
    }
  })
  return Object.fromEntries(await Promise.all(values))
}

async function secretText(secret: string, env: SecretsEnvironment): Promise<string> {
  const port = env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT || '2773'
  const answer = await fetch(`http://localhost:${port}/secretsmanager/get?secretId=${encodeURIComponent(secret)}`, {
    headers: { 'X-Aws-Parameters-Secrets-Token': env.AWS_SESSION_TOKEN ?? '' },
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  if (!answer.ok) throw new Error(`the extension answered ${answer.status}`)
  return z.object({ SecretString: z.string() }).parse(await answer.json()).SecretString
}

function fieldOf(text: string, field: string | undefined): string {
  if (field === undefined) return text
  return String(z.record(z.string(), z.union([z.string(), z.number()])).parse(parseJson(text))[field] ?? missing(field))
}

function missing(field: string): never {
  throw new Error(`the secret has no field ${field}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
