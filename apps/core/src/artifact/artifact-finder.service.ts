import { Injectable } from '@nestjs/common';
import { Problem } from '@haven/api';
import { isTag, parseDigest } from '@haven/oci';
import { ArtifactStore, type ArtifactReference, type ArtifactRow } from './artifact.store.js';
import type { OpenRepository, RepositoryPath } from './repository-path.js';

/** Finds the repository and the artifact that a path names. */
@Injectable()
export class ArtifactFinder {
  constructor(private readonly store: ArtifactStore) {}

  /** @throws Problem NOT_FOUND */
  async repository(path: RepositoryPath): Promise<OpenRepository> {
    const id = await this.store.findRepository(path.name);
    if (id === undefined) throw new Problem('NOT_FOUND', 'there is no such repository');
    return { ...path, id };
  }

  /**
   * @param reference a tag or digest as the path has it
   * @throws Problem BAD_REQUEST, NOT_FOUND
   */
  async artifact(path: RepositoryPath, reference: string): Promise<{ readonly repository: OpenRepository; readonly artifact: ArtifactRow }> {
    const wanted = referenceOf(reference);
    const repository = await this.repository(path);
    const artifact = await this.store.find(repository.id, wanted);
    if (artifact === undefined) throw new Problem('NOT_FOUND', 'the repository has no such artifact');
    return { repository, artifact };
  }
}

function referenceOf(text: string): ArtifactReference {
  const digest = parseDigest(text);
  if (digest !== undefined) return { digest };
  if (isTag(text)) return { tag: text };
  throw new Problem('BAD_REQUEST', 'the artifact in the address is neither a tag nor a digest');
}
