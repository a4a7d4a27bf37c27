import { Injectable } from '@nestjs/common';
import { BuildStep, Problem, type BuildHistory } from '@haven/api';
import { MAX_MANIFEST_BYTES, parseManifest, type Digest } from '@haven/oci';
import { BlobStorage } from '@haven/storage';

/** Bytes of an image's config at most; real ones have some kilobytes. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_STEPS = 5000;

/** How an image was built, as its config tells (OCI image specification, "history"). */
@Injectable()
export class BuildHistoryService {
  constructor(private readonly storage: BlobStorage) {}

  /** The steps of the image, oldest first; none when its config tells none. */
  async read(digest: Digest, mediaType: string): Promise<BuildHistory> {
    const manifest = parseManifest(await this.storage.readAll(digest, MAX_MANIFEST_BYTES), mediaType);
    const { config } = manifest;
    if (config === undefined) return [];
    if (config.size > MAX_CONFIG_BYTES) throw new Problem('REQUEST_ENTITY_TOO_LARGE', `the config of the image is larger than ${MAX_CONFIG_BYTES} bytes`);
    return stepsOf(await this.storage.readAll(config.digest, MAX_CONFIG_BYTES));
  }
}

/** Configs are what clients pushed: what is no step is left out. */
function stepsOf(bytes: Buffer): BuildHistory {
  const history = parsed(bytes)?.['history'];
  if (!Array.isArray(history)) return [];
  return history.slice(0, MAX_STEPS).flatMap((step) => {
    const result = BuildStep.safeParse(step);
    return result.success ? [result.data] : [];
  });
}

function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // an image whose config is no JSON has no history
  }
}
