import { GitHubApi, type GitHubApiOptions } from './github/index.ts';
import { root } from './repository-files.ts';
import { type Event, type Files, type Outcome, Project, pullRequestEvent, runWorkflow } from './runner/index.ts';

export interface GateOptions {
  /** A workflow file's text; the README's when not given. */
  readonly workflow?: string;
  /** What stands after `sluice-ml/sluice`: the root action's `@v1` when not given. */
  readonly action?: string;
  /** The step's `with`. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: (project: Project) => Event;
  readonly checkout?: Parameters<Project['checkout']>[0];
  readonly env?: Readonly<Record<string, string>>;
  readonly network?: 'on' | 'off';
  readonly runnerCache?: string;
}

/** The workflow of the README, with a last step that shows what the gate left in the workspace. */
function workflowOf(options: GateOptions): string {
  const inputs = Object.entries(options.inputs ?? {}).map(
    ([name, value]) => `          ${name}: ${JSON.stringify(value)}\n`,
  );
  return `
on: [pull_request, pull_request_target, merge_group, push]
permissions:
  contents: read
  pull-requests: write
  checks: write
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: sluice-ml/sluice${options.action ?? '@v1'}
        id: gate
${inputs.length === 0 ? '' : `        with:\n${inputs.join('')}`}
      - if: always()
        id: files
        run: echo "written=$(ls sluice-report 2>/dev/null | tr '\\n' ' ')" >> "$GITHUB_OUTPUT"
`;
}

/** A repository with a pull request, and the GitHub it lives on. */
export class Scene {
  readonly project: Project;
  readonly github: GitHubApi;

  private constructor(project: Project, github: GitHubApi) {
    this.project = project;
    this.github = github;
  }

  static async open(
    files: { readonly main: Files; readonly change: Files },
    github: Partial<GitHubApiOptions> = {},
  ): Promise<Scene> {
    const project = new Project(files);
    const options = { repository: project.repository, gitDirectory: project.origin, ...github };
    return new Scene(project, await GitHubApi.start(options));
  }

  /** The same repository on a GitHub that behaves otherwise. */
  async elsewhere(github: Partial<GitHubApiOptions>): Promise<Scene> {
    const options = { repository: this.project.repository, gitDirectory: this.project.origin, ...github };
    return new Scene(this.project, await GitHubApi.start(options));
  }

  /** Runs the gate as a workflow; without a network unless told otherwise. */
  run(options: GateOptions = {}): Promise<Outcome> {
    return runWorkflow({
      workflow: options.workflow ?? workflowOf(options),
      event: (options.event ?? pullRequestEvent)(this.project),
      directory: this.project.checkout(options.checkout),
      github: this.github,
      env: options.env ?? { SLUICE_NATIVE_DIR: root },
      network: options.network ?? 'off',
      ...(options.runnerCache === undefined ? {} : { runnerCache: options.runnerCache }),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github.close();
    this.project.remove();
  }
}

/** The gate's outputs, as numbers where they are counts. */
export function gateOutputs(outcome: Outcome): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(outcome.outputs.get('gate') ?? {}).map(([name, value]) => [
      name,
      /^\d+$/.test(value) ? Number(value) : value,
    ]),
  );
}
