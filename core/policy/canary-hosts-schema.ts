import * as z from 'zod';
import { policyDefaults } from './defaults.ts';
import { duration, path } from './schema-words.ts';

// What `canary.traffic` says of plain hosts. Every name here ends up in a path or a command on other machines: none has a character that
// means something to a shell.

const { hosts: defaults } = policyDefaults.canary;

const hostName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: 'a name of letters, digits, ".", "_" and "-"' });
const release = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { error: 'a version of letters, digits, ".", "_" and "-"' });
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/, { error: 'a file name of letters, digits, ".", "_" and "-"' });
const folderWords = 'an absolute path of letters, digits, ".", "_", "-" and "/"';
const folder = z
  .string()
  .regex(/^(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)+$/, { error: folderWords })
  .meta({ id: 'hostFolder', description: 'A folder on a host: an absolute path without spaces.' });
const place = z
  .string()
  .regex(/^([A-Za-z_][A-Za-z0-9._-]{0,31}@)?[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:\d{1,5})?$/, {
    error: 'HOST, USER@HOST, USER@HOST:PORT, or here',
  })
  .meta({
    id: 'hostPlace',
    description: 'Where ssh goes: HOST, USER@HOST or USER@HOST:PORT. here: the machine that runs the rollout.',
  });
const base = z
  .string()
  .regex(/^https?:\/\/[^\s/@]+(\/\S*)?$/, { error: 'an address such as http://10.0.0.11:8000, without a password' });
const urlPath = z.string().regex(/^\/[\x21-\x7e]*$/, { error: 'a path such as /v2/health/ready' });
const word = z
  .string()
  .max(4096)
  .regex(/^\P{Cc}*$/u, { error: 'a word without line breaks and control characters' });
const command = z
  .strictObject({
    run: z
      .array(word)
      .min(1)
      .max(50)
      .describe(
        'The program and its words, each as it is. {host}, {version} and {directory} stand for those of the host.',
      ),
    at: place.optional().describe('Where it runs; on the host itself when not given.'),
    within: duration.optional().meta({ description: 'How long it may take.', default: defaults.command_within }),
  })
  .meta({ id: 'hostCommand', description: 'A command, run without a shell of ours.' });

/** `canary.traffic.state` of the providers that keep their record in a folder. */
const recordFolder = z
  .strictObject({
    at: place.optional().describe('The machine; the one that runs the rollout when not given.'),
    directory: z
      .string()
      .regex(/^\/?(?!\.\.?(\/|$))[A-Za-z0-9._-]+(\/(?!\.\.?(\/|$))[A-Za-z0-9._-]+)*$/, { error: folderWords })
      .describe("The folder. Without at, relative to the policy file's."),
  })
  .describe('Where the record of the rollout is kept: on a machine that outlives the one that runs it.');

export const hostsTraffic = z
  .strictObject({
    provider: z.literal('hosts').describe('Plain servers, released one by one.'),
    baseline: release.describe('The release that runs on all of them: the folder releases/BASELINE.'),
    canary: release.describe('What the new release is to be called.'),
    model: path.describe('The model file to release.'),
    file: fileName
      .optional()
      .meta({ description: "The model file's name in every release on the hosts.", default: defaults.file }),
    directory: folder.describe('With releases/ and the link current, on every host.'),
    hosts: z
      .array(
        z.strictObject({
          name: hostName.describe('For people, and for {host}.'),
          at: place,
          url: base.describe('Of its server, as the machine reaches it that runs the rollout.'),
          directory: folder.optional().describe('Where it differs from the others.'),
        }),
      )
      .min(1)
      .max(100)
      .describe('In the order in which they are released. A weight is a share of them.'),
    restart: command.describe('Lets the server on a host read current/ anew; over when the old one is gone.'),
    drain: command.optional().describe('Takes a host out of the load balancer.'),
    undrain: command.optional().describe('Puts it back.'),
    health: z
      .strictObject({
        path: urlPath.describe('Asked with GET; 200 to 299 is well.'),
        contains: z
          .string()
          .min(1)
          .max(200)
          .optional()
          .describe('What the answer has to hold; {version} stands for the version that should run.'),
        within: duration
          .optional()
          .meta({ description: 'How long the server may take to be well.', default: defaults.health_within }),
      })
      .describe('When a server counts as up.'),
    warm_up: z
      .array(
        z.strictObject({
          path: urlPath.describe('Asked before users are.'),
          body: path.optional().describe('A JSON file, sent with POST; GET without it.'),
          times: z.int().min(1).max(1000).optional().meta({ description: 'How often.', default: 1 }),
        }),
      )
      .max(20)
      .optional()
      .describe('Requests that a new version has to answer with 200 to 299 before users come.'),
    state: recordFolder
      .optional()
      .describe('Where the record is kept; on the first host, in its directory, when not given.'),
    ssh_config: path
      .optional()
      .describe("ssh's own configuration: keys, jump hosts, known hosts. The user's when not given."),
  })
  .describe('Plain servers behind a load balancer, over SSH. Linux, with sh and coreutils or BusyBox.');

const application = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9 ._-]{0,127}$/, { error: "an application's name" });

export const rayServeTraffic = z
  .strictObject({
    provider: z.literal('ray-serve').describe("Applications of Ray Serve behind Sluice's splitter."),
    dashboard: base.describe("Where Ray's REST API is: http://ray-head:8265."),
    splitter: application.describe('The application with ray_splitter.py.'),
    baseline: application.describe('The application that serves now.'),
    canary: application.describe('The application to try.'),
    state: recordFolder,
    ssh_config: path.optional().describe("ssh's own configuration. The user's when not given."),
  })
  .describe('Ray Serve 2.9 or later, deployed by its REST API or `serve deploy`.');
