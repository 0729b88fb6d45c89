import { S3Client } from '@aws-sdk/client-s3'

export interface S3Settings {
  readonly region: string
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined
  /** How long a connection may say nothing, in ms; default 30 s. */
  readonly silenceMs?: number
}

const CONNECT_MS = 5_000
const SILENCE_MS = 30_000

/**
 * The S3 client of the lake. Retries are ours (`retries.ts`), with the SDK's adaptive rate limit below them. Bodies of parts carry
 * a CRC32 that S3 checks, so they are not hashed a second time for the signature.
 *
 * A server that says nothing is given up and asked again. There is no bound on a whole request here, since a part may take its time
 * over a slow line: the budget of the call is the bound.
 */
export function s3Client({ region, endpoint, silenceMs = SILENCE_MS }: S3Settings): S3Client {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    retryMode: 'adaptive',
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: silenceMs },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  return unsignedParts(client)
}

/** Leaves the body of UploadPart out of the signature; its CRC32 header, which is signed, protects it. */
export function unsignedParts(client: S3Client): S3Client {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      if (context.commandName === 'UploadPartCommand') {
        const request = args.request as { headers: Record<string, string> }
        request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      }
      return next(args)
    },
    { step: 'build', name: 'unsignedParts', override: true },
  )
  return client
}
