import { createHash, createHmac, pbkdf2 as derive, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'

const pbkdf2 = promisify(derive)
/** As PostgreSQL itself makes them (`scram_iterations`). */
const ITERATIONS = 4096
const SALT_BYTES = 16
const HASH = 'sha256'
const HASH_BYTES = 32

/**
 * What PostgreSQL stores of a password, `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>` (RFC 5802 and 7677). Handed over in
 * place of the password, it may stand in a log of statements: nobody can log in with it.
 *
 * @param password of printable ASCII, which SASLprep (RFC 4013) leaves as it is.
 */
export async function scramVerifier(password: string, salt: Buffer = randomBytes(SALT_BYTES)): Promise<string> {
  if (!/^[\x20-\x7e]+$/.test(password)) throw new RangeError('a password must be printable ASCII')
  const salted = await pbkdf2(password, salt, ITERATIONS, HASH_BYTES, HASH)
  const keyed = (name: string) => createHmac(HASH, salted).update(name).digest()
  const storedKey = createHash(HASH).update(keyed('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${storedKey}:${keyed('Server Key').toString('base64')}`
}
