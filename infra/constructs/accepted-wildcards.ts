import type { IConstruct } from 'constructs'
import { accept } from '../nag.ts'

const ESCAPED = /[.*+?^${}()|[\]\\]/g

/**
 * Accepts resources of a role that end in a wildcard, each by its end: `/lake/v1/*`. What stands before it, a bucket or an account, is
 * a reference.
 */
export function acceptWildcards(role: IConstruct, ends: readonly string[], reason: string): void {
  for (const end of ends) {
    const finding = new RegExp(`^Resource::.+${end.replaceAll(ESCAPED, '\\$&')}$`)
    accept(role, { rule: 'AwsSolutions-IAM5', finding, reason })
  }
}
