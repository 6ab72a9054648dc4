import { Stack } from 'aws-cdk-lib';
import type { CfnCluster } from 'aws-cdk-lib/aws-eks';
import { CfnPodIdentityAssociation } from 'aws-cdk-lib/aws-eks';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';

/** A service account of Kubernetes. */
export interface PodIdentity {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/**
 * A role that only the pods of one service account of one cluster take on. `associate: false` where an add-on makes the association itself.
 * https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
 */
export function podRole(
  scope: Construct,
  id: string,
  { cluster, namespace, serviceAccount, associate = true }: PodIdentity & { cluster: CfnCluster; associate?: boolean },
): Role {
  const role = new Role(scope, id, {
    description: `Pods of ${namespace}/${serviceAccount}`,
    assumedBy: new ServicePrincipal('pods.eks.amazonaws.com', {
      conditions: {
        StringEquals: {
          'aws:SourceAccount': Stack.of(scope).account,
          'aws:RequestTag/kubernetes-namespace': namespace,
          'aws:RequestTag/kubernetes-service-account': serviceAccount,
        },
        ArnEquals: { 'aws:SourceArn': cluster.attrArn },
      },
    }).withSessionTags(),
  });
  if (associate) {
    new CfnPodIdentityAssociation(role, 'Association', {
      clusterName: cluster.ref,
      namespace,
      serviceAccount,
      roleArn: role.roleArn,
    });
  }
  return role;
}
