import { describe, expect, it } from 'vitest'
import { contains, decide, overlap, type Policies, type Statement } from '../../../infra/audit/policy-evaluator.ts'

const ROLE = 'arn:aws:iam::ACCOUNT:role/Api'
const FILE = 'arn:aws:s3:::lake/lake/v1/players/part-00-00000.parquet'
const may = (...actions: string[]): Statement => ({ effect: 'Allow', actions, resources: ['*'], conditions: {} })
const mayNot = (...actions: string[]): Statement => ({ ...may(...actions), effect: 'Deny' })
const decided = (policies: Policies | Statement[], action: string, resource = FILE, context = {}) =>
  decide(Array.isArray(policies) ? { own: policies } : policies, { principal: ROLE, action, resource, context })

describe('patterns', () => {
  it.each([
    ['s3:*', 's3:Put*', true, true],
    ['s3:Put*', 's3:*', true, false],
    ['s3:*Object', 's3:Put*', true, false],
    ['s3:Get*', 's3:Put*', false, false],
    ['a?c', 'abc', true, true],
    ['a?c', 'a*c', true, false],
    ['arn:aws:s3:::lake/*', 'arn:aws:s3:::lake', false, false],
    ['a.c', 'abc', false, false],
    ['*', '', true, true],
  ])('%s and %s overlap: %s; the first contains the second: %s', (a, b, both, within) => {
    expect(overlap(a, b)).toBe(both)
    expect(overlap(b, a)).toBe(both)
    expect(contains(a, b)).toBe(within)
  })
})

describe('the evaluation of policies', () => {
  it('grants nothing that no statement allows, whatever the case of an action', () => {
    expect(decided([], 's3:PutObject')).toBe('not granted')
    expect(decided([may('s3:GetObject')], 's3:PutObject')).toBe('not granted')
    expect(decided([may('S3:getobject')], 's3:GetObject')).toBe('allowed')
  })

  it('lets a Deny win over every Allow, in the policy of the role as in that of the resource', () => {
    expect(decided([may('s3:*'), mayNot('s3:PutObject')], 's3:PutObject')).toBe('denied')
    expect(
      decided({ own: [may('s3:*')], ofResource: [{ ...mayNot('s3:Put*'), principals: ['*'] }] }, 's3:PutObject'),
    ).toBe('denied')
    expect(decided([may('s3:*'), mayNot('s3:PutObject')], 's3:GetObject')).toBe('allowed')
  })

  it('finds a right that only some of what was asked for has, and counts a Deny only where it holds for all of it', () => {
    const one = { ...may('s3:PutObject'), resources: ['arn:aws:s3:::lake/lake-meta/*'] }
    expect(decided([one], 's3:Put*', 'arn:aws:s3:::lake/*')).toBe('allowed')
    expect(decided([one], 's3:Put*', 'arn:aws:s3:::results/*')).toBe('not granted')
    const deny = { ...mayNot('s3:PutObject'), resources: ['arn:aws:s3:::lake/lake/*'] }
    expect(decided([may('s3:*'), deny], 's3:PutObject', 'arn:aws:s3:::lake/*')).toBe('allowed')
    expect(decided([may('s3:*'), deny], 's3:PutObject', 'arn:aws:s3:::lake/lake/v1/*')).toBe('denied')
  })

  it('reads NotAction and NotResource as all the others', () => {
    const but: Statement = {
      effect: 'Allow',
      notActions: ['iam:*'],
      notResources: ['arn:aws:s3:::lake/*'],
      conditions: {},
    }
    expect(decided([but], 's3:PutObject', FILE)).toBe('not granted')
    expect(decided([but], 's3:PutObject', 'arn:aws:s3:::other/x')).toBe('allowed')
    expect(decided([but], 'iam:PassRole', 'arn:aws:s3:::other/x')).toBe('not granted')
    const only: Statement = { effect: 'Deny', actions: ['*'], notResources: ['arn:aws:s3:::other/*'], conditions: {} }
    expect(decided([may('s3:*'), only], 's3:PutObject', FILE)).toBe('denied')
    expect(decided([may('s3:*'), only], 's3:PutObject', 'arn:aws:s3:::other/*')).toBe('allowed')
  })

  it('takes a condition of an Allow that it cannot judge as met, and one of a Deny as not', () => {
    const tagged = { StringEquals: { 's3:ExistingObjectTag/kind': ['plan'] } }
    expect(decided([{ ...may('s3:*'), conditions: tagged }], 's3:PutObject')).toBe('conditional')
    expect(decided([may('s3:*'), { ...mayNot('s3:*'), conditions: tagged }], 's3:PutObject')).toBe('allowed')
    const strange = { StringMatchesOddly: { 'aws:principalarn': [ROLE] } }
    expect(decided([may('s3:*'), { ...mayNot('s3:*'), conditions: strange }], 's3:PutObject')).toBe('allowed')
  })

  it('judges conditions on what the request tells, negated ones and lists, too', () => {
    const others = { ArnNotLike: { 'aws:PrincipalArn': ['arn:aws:iam::*:role/Care', 'arn:aws:iam::*:role/Admin'] } }
    expect(decided([may('s3:*'), { ...mayNot('s3:DeleteObject*'), conditions: others }], 's3:DeleteObject')).toBe(
      'denied',
    )
    const api = { ArnLike: { 'aws:PrincipalArn': ['arn:aws:iam::*:role/A*'] } }
    expect(decided([{ ...may('s3:*'), conditions: api }], 's3:PutObject')).toBe('allowed')
    const insecure = { Bool: { 'aws:SecureTransport': ['false'] } }
    expect(decided([may('s3:*'), { ...mayNot('s3:*'), conditions: insecure }], 's3:PutObject')).toBe('allowed')
    const passed = { StringEquals: { 'iam:PassedToService': ['ecs-tasks.amazonaws.com'] } }
    const pass = [{ ...may('iam:PassRole'), conditions: passed }]
    const to = (service: string) => decided(pass, 'iam:PassRole', ROLE, { 'iam:passedtoservice': service })
    expect([to('ecs-tasks.amazonaws.com'), to('lambda.amazonaws.com')]).toEqual(['allowed', 'not granted'])
  })

  it('adds what the policy of a resource gives the role by name, and not what it leaves to the account', () => {
    const of = (principal: string): Statement => ({ ...may('kms:Decrypt'), principals: [principal] })
    const key = 'arn:aws:kms:REGION:ACCOUNT:key/Lake'
    expect(decided({ own: [], ofResource: [of(ROLE)] }, 'kms:Decrypt', key)).toBe('allowed')
    expect(decided({ own: [], ofResource: [of('arn:aws:iam::ACCOUNT:root')] }, 'kms:Decrypt', key)).toBe('not granted')
    expect(decided({ own: [may('kms:*')], ofResource: [], ownCount: false }, 'kms:Decrypt', key)).toBe('not granted')
  })

  it('grants nothing beyond the boundary', () => {
    const boundary = [may('s3:Get*')]
    expect(decided({ own: [may('s3:*')], boundary }, 's3:PutObject')).toBe('not granted')
    expect(decided({ own: [may('s3:*')], boundary }, 's3:GetObject')).toBe('allowed')
    expect(decided({ own: [], boundary }, 's3:GetObject')).toBe('not granted')
  })

  it('takes a variable in a resource for any text where it allows, and for none where it denies', () => {
    const own = { ...may('s3:PutObject'), resources: [`arn:aws:s3:::lake/\${aws:PrincipalTag/team}/*`] }
    expect(decided([own], 's3:PutObject')).toBe('allowed')
    expect(decided([may('s3:*'), { ...own, effect: 'Deny' }], 's3:PutObject')).toBe('allowed')
  })
})
