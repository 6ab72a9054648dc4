import { z } from 'zod';
import { matching } from './schema-words.ts';

const subnet = matching(/^subnet-[0-9a-f]{8,17}$/, 'a subnet such as subnet-0a1b2c3d4e5f60718');

export const networkSchema = z.strictObject({
  vpc: matching(/^vpc-[0-9a-f]{8,17}$/, 'a VPC such as vpc-0a1b2c3d4e5f60718').describe('The id of the VPC.'),
  private_subnets: z
    .record(matching(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'a zone such as eu-central-1a'), subnet)
    .refine((all) => Object.keys(all).length > 0, { error: 'at least one subnet' })
    .describe('Subnets that are not reached from the internet, one for each zone, by their zones.'),
});

export type NetworkConfig = z.infer<typeof networkSchema>;
