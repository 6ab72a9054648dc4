import * as z from 'zod';
import type { Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type KubernetesKind, resourceOf } from './kubernetes-object.ts';

/** What was asked of the API server, in the words of its roles. */
export interface Asked extends KubernetesKind {
  readonly verb: 'get' | 'list' | 'patch' | 'create' | 'delete';
  readonly namespace: string;
  readonly name?: string;
}

const statusSchema = z.looseObject({
  kind: z.literal('Status'),
  message: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  details: z.looseObject({ name: z.string().exactOptional(), kind: z.string().exactOptional() }).exactOptional(),
});

/** What the API server says in the body of a refusal, on one line. */
export function statusMessage(body: string): string {
  // A refused patch is told with the whole object in front of the reason.
  const message = statusOf(body)?.message?.replace(/Invalid value: "(?:[^"\\]|\\.)*": /g, '');
  return excerpt(message?.trim() ?? body.trim(), 400);
}

/** A 404 for the object itself, not for its kind or its namespace. */
export function isMissingObject(body: string, name: string): boolean {
  const details = statusOf(body)?.details;
  return details?.name === name && details.kind !== 'namespaces';
}

/** Refused by who asks, not by what is asked: no credentials that are taken, or no role. */
export function isDenied(answer: { readonly status: number; readonly body: string }, { verb }: Asked): boolean {
  const { status, body } = answer;
  return status === 401 || (status === 403 && statusMessage(body).includes(`cannot ${verb} resource`));
}

/** Why the API server did not do what was asked, and what to do about it. */
export function refusal(status: number, body: string, asked: Asked, as: { readonly origin: string }): Problem {
  const found = statusMessage(body);
  const resource = resourceOf(asked);
  const object = asked.name === undefined ? resource : `${resource} ${JSON.stringify(asked.name)}`;
  if (status === 401) {
    return {
      code: 'unauthorized',
      message: `the API server does not take the credentials of ${as.origin}`,
      found,
      fix: "Log in anew in a step before this one; cloud tokens live for minutes to an hour, and a service account's token ends with it.",
    };
  }
  if (isDenied({ status, body }, asked)) {
    return {
      code: 'forbidden',
      message: `${userIn(found) ?? as.origin} may not ${asked.verb} ${object} in the namespace ${asked.namespace}`,
      found,
      fix: `Give it a Role there with the rule { apiGroups: [${JSON.stringify(asked.group)}], resources: [${asked.plural}], verbs: [${asked.verb}]${
        asked.name === undefined || asked.verb === 'create' ? '' : `, resourceNames: [${asked.name}]`
      } }; a get in its name may also be missing.`,
    };
  }
  if (status === 403) {
    return {
      code: 'not-admitted',
      message: `the cluster does not let ${object} be changed`,
      found,
      fix: 'A policy of the cluster (admission webhook, quota, Gatekeeper, Kyverno) said no: follow what it says, or have it allow this.',
    };
  }
  if (status === 404 && asked.name !== undefined && isMissingObject(body, asked.name)) {
    return {
      code: 'no-such-object',
      message: `there is no ${asked.kind} ${asked.namespace}/${asked.name}`,
      fix: 'Correct its name or namespace, or create it first: a rollout changes objects, it does not make them.',
    };
  }
  if (status === 404) {
    return {
      code: 'no-such-kind',
      message: `this cluster has no ${asked.kind} of ${asked.group === '' ? 'core' : asked.group}/${asked.version}, or no namespace ${asked.namespace}`,
      found,
      fix: `Install or update what brings ${resource}, or correct the namespace.`,
    };
  }
  if (status === 400 || status === 422) {
    const unknown = /unknown field "([^"]+)"/.exec(found)?.[1];
    return {
      code: unknown === undefined ? 'invalid' : 'unknown-field',
      message:
        unknown === undefined
          ? `the API server refuses the new ${object}`
          : `the ${asked.kind} of this cluster has no field ${excerpt(unknown)}`,
      found,
      fix:
        unknown === undefined
          ? `Correct the ${asked.kind} so that the server takes it: "kubectl edit" shows the same message.`
          : `Update the custom resource definitions of ${asked.group}, or do without what needs this field.`,
    };
  }
  return {
    code: 'refused',
    message: `the API server answers HTTP ${status} when asked to ${asked.verb} ${object}`,
    found,
    fix:
      status >= 500
        ? "Look into the API server's log; a webhook that is down is named in the message."
        : 'Follow what it says.',
  };
}

function userIn(message: string): string | undefined {
  return /User "([^"]+)"/.exec(message)?.[1];
}

function statusOf(body: string): z.infer<typeof statusSchema> | undefined {
  try {
    const parsed = statusSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
