import { z } from 'zod';
import { arn, matching, whole } from './schema-words.ts';

const nodeGroup = z
  .strictObject({
    instance_types: z
      .array(matching(/^[a-z0-9-]+\.[a-z0-9]+$/, 'an instance of EC2 such as g6.xlarge'))
      .min(1, { error: 'at least one instance type' })
      .describe('Of one architecture and one maker; with spot several.'),
    max_gpus: whole(1, 'GPUs').describe('Of all nodes together, at most.'),
    desired_nodes: whole(0, 'nodes').optional().describe('Nodes at deployment. Without it none.'),
    capacity: z.enum(['on-demand', 'spot']).optional().describe('Without it on-demand.'),
    fabric: z.boolean().optional().describe('Elastic Fabric Adapters, for training over several nodes, in one zone.'),
  })
  .meta({ id: 'nodeGroup', description: 'Nodes with GPUs that EKS manages.' });

export const clusterSchema = z.strictObject({
  version: matching(/^1\.\d+$/, 'a version such as "1.34", in quotes').describe('Of Kubernetes, in quotes.'),
  admins: z
    .array(arn('iam', 'arn:aws:iam::<account>:role/<name>'))
    .min(1, { error: 'at least one role' })
    .describe('ARNs of the roles that may do everything in Kubernetes.'),
  public_access_from: z
    .array(matching(/^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, 'addresses such as 203.0.113.0/24'))
    .min(1)
    .optional()
    .describe('From where on the internet Kubernetes answers. Without it from its network alone.'),
  nat_gateways: whole(1, 'gateways').optional().describe('Ways out of the private subnets. Without it 1.'),
  node_groups: z
    .record(matching(/^[a-z](-?[a-z0-9]){0,29}$/, 'a name of small letters, digits and hyphens'), nodeGroup)
    .optional()
    .describe('Groups of nodes with GPUs by their names.'),
  karpenter: z.boolean().optional().describe("Whether Karpenter's roles and queue are made. Without it false."),
  model_readers: z
    .array(
      z.strictObject({
        namespace: z.string().min(1).describe('Of Kubernetes.'),
        service_account: z.string().min(1).describe('Of the pods.'),
      }),
    )
    .optional()
    .describe('Pods that may read the models, by their service accounts.'),
});

export type ClusterConfig = z.infer<typeof clusterSchema>;
