import { ConstructError } from '../constructs/aws/index.ts';
import { ConfigError } from './config/parse-config.ts';

/**
 * Runs what builds an app. What is wrong with the file or with props of a construct is told in its own words, without a stack, and ends the process with
 * 1 before the CDK could write an app of which half is missing. Anything else is thrown on.
 */
export function tellMistakes(build: () => void): void {
  try {
    build();
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof ConstructError)) throw error;
    console.error(error.message);
    process.exit(1);
  }
}
