import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'

const VERSION = 1
const SALT_BYTES = 16
const TAG_BYTES = 16
const HEAD_BYTES = 1 + SALT_BYTES + TAG_BYTES
const CIPHER = 'aes-256-gcm'
/** Each text has a key of its own (from 128 random bits), under which nothing else is ever encrypted. */
const NONCE = Buffer.alloc(12)

/**
 * Encrypts stored answers (AES-256-GCM, NIST SP 800-38D): they hold what their caller may see, personal data in a place where
 * nobody looks for it. Without the secret store a copy of the table tells nothing.
 *
 * A sealed text is bound to its place: in the row of another caller or key it does not open.
 */
export class AnswerSeal {
  readonly #masters: readonly Buffer[]

  /**
   * @param secrets 32 bytes or more from the secret store; the same in every process of a deployment. Several: the first seals, what
   *   any of them sealed opens
   */
  constructor(secrets: Buffer | readonly Buffer[]) {
    this.#masters = [secrets].flat().map((secret) => {
      if (secret.length < 32) throw new RangeError('the secret needs 32 bytes')
      return Buffer.from(hkdfSync('sha256', secret, '', 'rocketgames accounts: stored answers', 32))
    })
  }

  /** @param place what the text belongs to, for example caller and key */
  seal(text: Buffer, place: readonly string[]): Buffer {
    const salt = randomBytes(SALT_BYTES)
    const [master] = this.#masters as [Buffer]
    const cipher = createCipheriv(CIPHER, keyOf(master, salt, place), NONCE)
    const body = [cipher.update(text), cipher.final()]
    return Buffer.concat([Buffer.of(VERSION), salt, cipher.getAuthTag(), ...body])
  }

  /** @throws Error when it was not sealed by this secret for this place */
  open(sealed: Uint8Array, place: readonly string[]): Buffer {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
    if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) throw new Error('a stored answer has an unknown form')
    let refused: unknown
    for (const master of this.#masters) {
      try {
        return openBy(master, bytes, place)
      } catch (error) {
        refused = error
      }
    }
    throw refused
  }
}

function openBy(master: Buffer, bytes: Buffer, place: readonly string[]): Buffer {
  const decipher = createDecipheriv(CIPHER, keyOf(master, bytes.subarray(1, 1 + SALT_BYTES), place), NONCE)
  decipher.setAuthTag(bytes.subarray(1 + SALT_BYTES, HEAD_BYTES))
  return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()])
}

function keyOf(master: Buffer, salt: Buffer, place: readonly string[]): Buffer {
  return createHmac('sha256', master).update(salt).update(JSON.stringify(place)).digest()
}
