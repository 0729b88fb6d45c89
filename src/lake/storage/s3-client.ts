import { S3Client } from '@aws-sdk/client-s3'

export interface S3Settings {
  readonly region: string
  /** Undefined: AWS itself. */
  readonly endpoint: string | undefined
}

/**
 * The S3 client of the lake. Retries are ours (`retries.ts`), with the SDK's adaptive rate limit below them. Bodies of parts carry
 * a CRC32 that S3 checks, so they are not hashed a second time for the signature.
 */
export function s3Client({ region, endpoint }: S3Settings): S3Client {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    retryMode: 'adaptive',
    maxAttempts: 1,
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
