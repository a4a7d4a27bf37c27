import type { Digest } from '@haven/oci';
import type { Database, NewEvent } from '@haven/database';
import { addBlob, claimBlob, findBlob, mountBlob, removeBlob, type BlobInRepository, type BlobToAdd, type BlobToMount } from './blobs.js';
import { deleteArtifact, deleteRepository, type ArtifactToDelete } from './deletion.js';
import { listReferrers, listRepositories, recordPulls, type Pull, type Referrer, type ReferrerQuery } from './listing.js';
import { findManifest, putManifest, type ManifestReference, type ManifestToPut, type StoredManifest } from './manifests.js';
import { findRepository, type Repository } from './repositories.js';
import { deleteTag, listTags, type TagToDelete } from './tags.js';
import { claimUpload, createUpload, findUpload, forgetUpload, saveUpload, staleUploads, uploadsInStorage, type NewUpload, type Upload, type UploadClaim } from './uploads.js';

/**
 * What a push, a delete and a tag move mean. The registry, core and job-service all change artifacts through it, so a
 * rule is written once. Every change commits together with its history and its events.
 */
export class Catalog {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  findRepository(name: string): Promise<Repository | undefined> {
    return findRepository(this.#database, name);
  }
  listRepositories(last: string, limit: number): Promise<string[]> {
    return listRepositories(this.#database, last, limit);
  }
  deleteRepository(wanted: { readonly repository: string; readonly actor: string }): Promise<void> {
    return deleteRepository(this.#database, wanted);
  }

  findBlob(repository: string, digest: Digest): Promise<BlobInRepository | undefined> {
    return findBlob(this.#database, repository, digest);
  }
  claimBlob(digest: Digest): Promise<boolean> {
    return claimBlob(this.#database, digest);
  }
  addBlob(blob: BlobToAdd): Promise<void> {
    return addBlob(this.#database, blob);
  }
  mountBlob(mount: BlobToMount): Promise<boolean> {
    return mountBlob(this.#database, mount);
  }
  removeBlob(repository: string, digest: Digest): Promise<void> {
    return removeBlob(this.#database, repository, digest);
  }

  findManifest(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    return findManifest(this.#database, repository, reference);
  }
  putManifest(put: ManifestToPut): Promise<{ readonly missing: readonly Digest[] }> {
    return putManifest(this.#database, put);
  }
  deleteArtifact(wanted: ArtifactToDelete): Promise<void> {
    return deleteArtifact(this.#database, wanted);
  }
  listReferrers(repositoryId: string, wanted: ReferrerQuery): Promise<Referrer[]> {
    return listReferrers(this.#database, repositoryId, wanted);
  }

  listTags(repositoryId: string, last: string, limit: number): Promise<string[]> {
    return listTags(this.#database, repositoryId, last, limit);
  }
  deleteTag(wanted: TagToDelete): Promise<void> {
    return deleteTag(this.#database, wanted);
  }
  recordPulls(pulls: readonly Pull[], events: readonly NewEvent[] = []): Promise<void> {
    return recordPulls(this.#database, pulls, events);
  }

  createUpload(upload: NewUpload): Promise<Upload> {
    return createUpload(this.#database, upload);
  }
  findUpload(id: string): Promise<Upload | undefined> {
    return findUpload(this.#database, id);
  }
  claimUpload(upload: Upload): Promise<UploadClaim> {
    return claimUpload(this.#database, upload);
  }
  saveUpload(upload: Upload, state: object, received: number): Promise<Upload> {
    return saveUpload(this.#database, upload, state, received);
  }
  forgetUpload(id: string): Promise<boolean> {
    return forgetUpload(this.#database, id);
  }
  staleUploads(before: Date, limit: number): Promise<Upload[]> {
    return staleUploads(this.#database, before, limit);
  }
  uploadsInStorage(stateIds: readonly string[]): Promise<Set<string>> {
    return uploadsInStorage(this.#database, stateIds);
  }
}
