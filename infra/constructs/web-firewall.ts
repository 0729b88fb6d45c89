import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib'
import * as logs from 'aws-cdk-lib/aws-logs'
import * as wafv2 from 'aws-cdk-lib/aws-wafv2'
import { Construct } from 'constructs'

/** Requests of one address in five minutes, far above what one key may ask: it stops floods before they cost anything. */
const REQUESTS_OF_AN_ADDRESS = 100_000

/**
 * Rules of AWS that count here in place of blocking. An import is larger than the 8 KB that SizeRestrictions_BODY allows, and a name
 * or a description may look like anything: the API takes data, keeps it as data, and its answers are JSON.
 */
const COUNTED: Readonly<Record<string, readonly string[]>> = {
  AWSManagedRulesCommonRuleSet: [
    'SizeRestrictions_BODY',
    'CrossSiteScripting_BODY',
    'GenericLFI_BODY',
    'GenericRFI_BODY',
    'EC2MetaDataSSRF_BODY',
    // Programs call this API, and not all of them tell their name.
    'NoUserAgent_HEADER',
  ],
  AWSManagedRulesKnownBadInputsRuleSet: ['JavaDeserializationRCE_BODY', 'Log4JRCE_BODY'],
  AWSManagedRulesAmazonIpReputationList: [],
}

export interface WebFirewallProps {
  readonly stage: string
  /** ARN of the load balancer. */
  readonly resourceArn: string
}

/** Stops what no caller of this API ever sends. */
export class WebFirewall extends Construct {
  readonly acl: wafv2.CfnWebACL

  constructor(scope: Construct, id: string, { stage, resourceArn }: WebFirewallProps) {
    super(scope, id)
    const name = `rocketgames-accounts-${stage}`
    this.acl = new wafv2.CfnWebACL(this, 'Acl', {
      name,
      scope: 'REGIONAL',
      defaultAction: { allow: {} },
      visibilityConfig: seen(name),
      rules: [flood(), ...Object.entries(COUNTED).map(([group, counted], at) => managed(group, counted, at + 1))],
    })
    new wafv2.CfnWebACLAssociation(this, 'Association', { webAclArn: this.acl.attrArn, resourceArn })
    this.#log(stage)
  }

  /** Of requests that a rule blocked or would have: never the key, which is in a header. */
  #log(stage: string): void {
    const group = new logs.LogGroup(this, 'Log', {
      // WAF writes to groups of this prefix only.
      logGroupName: `aws-waf-logs-rocketgames-accounts-${stage}`,
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const actions = ['BLOCK', 'COUNT', 'EXCLUDED_AS_COUNT']
    new wafv2.CfnLoggingConfiguration(this, 'Logging', {
      resourceArn: this.acl.attrArn,
      logDestinationConfigs: [
        Stack.of(this).formatArn({
          service: 'logs',
          resource: 'log-group',
          resourceName: group.logGroupName,
          arnFormat: ArnFormat.COLON_RESOURCE_NAME,
        }),
      ],
      redactedFields: [{ singleHeader: { Name: 'authorization' } }, { queryString: {} }],
      loggingFilter: {
        DefaultBehavior: 'DROP',
        Filters: [
          {
            Behavior: 'KEEP',
            Requirement: 'MEETS_ANY',
            Conditions: actions.map((Action) => ({ ActionCondition: { Action } })),
          },
        ],
      },
    })
  }
}

const seen = (metricName: string) => ({
  metricName,
  cloudWatchMetricsEnabled: true,
  sampledRequestsEnabled: false,
})

function flood(): wafv2.CfnWebACL.RuleProperty {
  return {
    name: 'flood',
    priority: 0,
    action: { block: {} },
    statement: { rateBasedStatement: { limit: REQUESTS_OF_AN_ADDRESS, aggregateKeyType: 'IP' } },
    visibilityConfig: seen('flood'),
  }
}

function managed(name: string, counted: readonly string[], priority: number): wafv2.CfnWebACL.RuleProperty {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: 'AWS',
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: seen(name),
  }
}
