import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** The region that is given, else the environment's. Throws an `InputError` for none, and for what is no region's name. */
export function awsRegion(given: string | undefined, environment: NodeJS.ProcessEnv = process.env): string {
  const region = given ?? environment['AWS_REGION'] ?? environment['AWS_DEFAULT_REGION'];
  if (region !== undefined && /^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) return region;
  throw new InputError({
    code: 'no-region',
    message: region === undefined ? 'no AWS region is named' : 'the AWS region is none',
    ...(region === undefined ? {} : { found: excerpt(region, 40) }),
    expected: 'a name such as eu-west-1',
    fix: 'Write "region" in the policy, or set AWS_REGION.',
  });
}

/** `amazonaws.com`, or what it is called in China. */
export function awsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

/** The partition of ARNs. */
export function awsPartition(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
