/**
 * Where the server's models come from: a folder in Triton's layout or one file.
 * @module
 */
export { defaultConfig, type ModelConfig, readModelConfig, type VersionPolicy } from './model-config.ts';
export {
  fileRepository,
  folderRepository,
  type Repository,
  type StoredModel,
  type StoredVersion,
} from './repository.ts';
