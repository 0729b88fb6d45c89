import { describe, expect, it } from 'vitest'
import { StageAccess } from '../../../infra/audit/roles.ts'
import { resourcesOf } from '../../../infra/audit/stack-resources.ts'

const bucket = { Type: 'AWS::S3::Bucket', Properties: {} }
const files = { 'Fn::Join': ['', [{ 'Fn::ImportValue': 'lake-bucket' }, '/*']] }
const trust = {
  Statement: { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
}
const role = (more = {}) => ({ Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust, ...more } })

const lake = {
  stack: 'lake',
  template: {
    Resources: {
      LakeA1B2C3D4: bucket,
      Policy: {
        Type: 'AWS::S3::BucketPolicy',
        Properties: {
          Bucket: { Ref: 'LakeA1B2C3D4' },
          PolicyDocument: {
            Statement: [
              {
                Effect: 'Deny',
                Principal: '*',
                Action: 's3:DeleteObject',
                Resource: { 'Fn::Sub': `\${LakeA1B2C3D4.Arn}/*` },
              },
            ],
          },
        },
      },
    },
    Outputs: { Out: { Value: { 'Fn::GetAtt': ['LakeA1B2C3D4', 'Arn'] }, Export: { Name: 'lake-bucket' } } },
  },
}
const tasks = (resources: Record<string, unknown>) => ({ stack: 'tasks', template: { Resources: resources } })

describe('the resources of a stage', () => {
  it('have their references written out, across stacks too', () => {
    const [, , policy] = resourcesOf([
      lake,
      tasks({
        P: {
          Type: 'X::Y::Z',
          Properties: {
            join: files,
            sub: { 'Fn::Sub': [`\${a}-\${AWS::Region}`, { a: { Ref: 'AWS::Partition' } }] },
            select: { 'Fn::Select': [1, { 'Fn::Split': ['/', 'x/y'] }] },
            list: [{ Ref: 'P' }],
          },
        },
      }),
    ])
    expect(policy?.properties).toEqual({ join: 'arn:aws:s3:::Lake/*', sub: 'aws-REGION', select: 'y', list: ['P'] })
  })

  it('that are missing are an error, not a guess', () => {
    expect(() =>
      resourcesOf([tasks({ P: { Type: 'X::Y::Z', Properties: { a: { 'Fn::ImportValue': 'no' } } } })]),
    ).toThrow('No stack exports no')
    expect(() =>
      resourcesOf([tasks({ P: { Type: 'X::Y::Z', Properties: { a: { 'Fn::GetAtt': ['Q', 'Arn'] } } } })]),
    ).toThrow('has no resource Q')
  })
})

describe('the access of a stage', () => {
  const attached = {
    Type: 'AWS::IAM::Policy',
    Properties: {
      Roles: [{ Ref: 'Api0A0A0A0A' }],
      PolicyDocument: { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: files }] },
    },
  }
  const task = {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: { Family: 'serve', TaskRoleArn: { 'Fn::GetAtt': ['Api0A0A0A0A', 'Arn'] } },
  }

  it('joins the policies of a role with those of the resource, and tells where the role is used', () => {
    const access = new StageAccess([lake, tasks({ Api0A0A0A0A: role(), Attached: attached, Task: task })])
    const [api] = access.roles
    expect(api?.uses.map(({ resource, property }) => `${resource.type} ${resource.name} ${property}`)).toEqual([
      'AWS::ECS::TaskDefinition serve TaskRoleArn',
    ])
    expect(api && access.decide(api, 's3:GetObject', 'arn:aws:s3:::Lake/*')).toBe('allowed')
    expect(api && access.decide(api, 's3:DeleteObject', 'arn:aws:s3:::Lake/*')).toBe('denied')
    expect(api && access.decide(api, 's3:GetObject', 'arn:aws:s3:::Other/*')).toBe('not granted')
  })

  it('lets a role become another one that trusts it by name, and none that leaves it to the account', () => {
    const trusting = (AWS: unknown) => ({
      ...role(),
      Properties: { AssumeRolePolicyDocument: { Statement: { ...trust.Statement, Principal: { AWS } } } },
    })
    const access = new StageAccess([
      tasks({
        Api0A0A0A0A: role(),
        Named: trusting({ 'Fn::GetAtt': ['Api0A0A0A0A', 'Arn'] }),
        Left: trusting('arn:aws:iam::ACCOUNT:root'),
      }),
    ])
    const become = (name: string) =>
      access.decide(access.roles[0]!, 'sts:AssumeRole', `arn:aws:iam::ACCOUNT:role/${name}`)
    expect(['Named', 'Left', 'Api'].map(become)).toEqual(['allowed', 'not granted', 'not granted'])
  })

  it('refuses a policy whose statements it cannot read', () => {
    const arn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    expect(() => new StageAccess([tasks({ Api: role({ ManagedPolicyArns: [arn] }) })])).toThrow(arn)
  })
})
