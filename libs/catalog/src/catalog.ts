import type { Page } from '@haven/api';
import type { Digest } from '@haven/oci';
import type { Database, NewEvent } from '@haven/database';
import type { Logger } from '@haven/runtime';
import { listBin, repositoryInBin, restore, type BinEntry, type BinQuery, type Restored } from './bin.js';
import { findRecallable } from './blob-links.js';
import { abandonBlob, addBlob, claimBlob, findBlob, mountBlob, removeBlob, type BlobInRepository, type BlobToAdd, type BlobToMount } from './blobs.js';
import { CatalogError } from './catalog-error.js';
import { copyArtifact, type ArtifactToCopy } from './copy.js';
import { deleteArtifact, deleteRepository, type ArtifactToDelete } from './deletion.js';
import { collectGarbage, purgeBin, type CollectedGarbage, type GarbageToCollect, type PurgedBin } from './garbage.js';
import { hasGarbage, previewGarbage, type GarbagePreview, type PreviewWanted } from './garbage-preview.js';
import { repositoryHistory, rollBackTag, tagAt, tagHistory, type RollBack, type TagChange } from './history.js';
import { listReferrers, listRepositories, recordPulls, type Pull, type Referrer, type ReferrerQuery } from './listing.js';
import { findManifest, putManifest, type ManifestReference, type ManifestToPut, type StoredManifest } from './manifests.js';
import type { PageWanted } from './page.js';
import { foldQuotaChanges, projectHolds, quotaRefusal, recomputeUsage, repairUsage, tellRefusal, usage, withinQuota, type Addition, type ProjectUsage } from './quota.js';
import { findRepository, type Repository } from './repositories.js';
import { createTag, deleteTag, listTags, type TagToCreate, type TagToDelete } from './tags.js';
import { untaggedArtifacts, type UntaggedPage } from './untagged.js';
import {
  claimUpload, countStaleUploads, createUpload, findUpload, forgetUpload, saveUpload, staleUploads, uploadsInStorage, type NewUpload, type StaleUploads, type Upload, type UploadClaim,
} from './uploads.js';

/**
 * What a push, a delete and a tag move mean. The registry, core and job-service all change artifacts through it, so a
 * rule is written once. Every change commits together with its history and its events. `actor` is a subject's id such as
 * 'user:3'; '' is the platform itself.
 */
export class Catalog {
  readonly #database: Database;
  readonly #logger: Pick<Logger, 'warn'>;

  /** `logger` is told what went wrong beside a change or a refusal that stands all the same. */
  constructor(database: Database, logger: Pick<Logger, 'warn'>) {
    this.#database = database;
    this.#logger = logger;
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
    return this.#stored(blob, () => addBlob(this.#database, blob));
  }
  mountBlob(mount: BlobToMount): Promise<boolean> {
    return this.#withinQuota(mount, () => mountBlob(this.#database, mount));
  }
  /** The size of a blob that the repository does not hold, but that putManifest would link again (see recallBlobs). */
  findRecallableBlob(repository: string, digest: Digest): Promise<number | undefined> {
    return findRecallable(this.#database, repository, digest);
  }
  removeBlob(repository: string, digest: Digest): Promise<void> {
    return removeBlob(this.#database, repository, digest);
  }

  findManifest(repository: string, reference: ManifestReference): Promise<StoredManifest | undefined> {
    return findManifest(this.#database, repository, reference);
  }
  putManifest(put: ManifestToPut): Promise<{ readonly missing: readonly Digest[] }> {
    return this.#stored(put, () => putManifest(this.#database, put));
  }
  deleteArtifact(wanted: ArtifactToDelete): Promise<void> {
    return deleteArtifact(this.#database, wanted);
  }
  copyArtifact(copy: ArtifactToCopy): Promise<{ readonly digest: string }> {
    const { from: { reference }, to: { repository }, actor } = copy;
    return this.#withinQuota({ repository, actor, ...('tag' in reference ? { tags: [reference.tag] } : { digest: reference.digest }) }, () => copyArtifact(this.#database, copy));
  }
  listReferrers(repositoryId: string, wanted: ReferrerQuery): Promise<Referrer[]> {
    return listReferrers(this.#database, repositoryId, wanted);
  }

  listTags(repositoryId: string, last: string, limit: number): Promise<string[]> {
    return listTags(this.#database, repositoryId, last, limit);
  }
  createTag(wanted: TagToCreate): Promise<void> {
    return createTag(this.#database, wanted);
  }
  deleteTag(wanted: TagToDelete): Promise<void> {
    return deleteTag(this.#database, wanted);
  }
  tagHistory(repositoryId: string, tag: string, page: PageWanted): Promise<Page<TagChange>> {
    return tagHistory(this.#database, repositoryId, tag, page);
  }
  repositoryHistory(repositoryId: string, page: PageWanted): Promise<Page<TagChange>> {
    return repositoryHistory(this.#database, repositoryId, page);
  }
  tagAt(repositoryId: string, tag: string, time: Date): Promise<string | undefined> {
    return tagAt(this.#database, repositoryId, tag, time);
  }
  rollBackTag(wanted: RollBack): Promise<void> {
    return this.#withinQuota({ ...wanted, tags: [wanted.tag] }, () => rollBackTag(this.#database, wanted));
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
  countStaleUploads(before: Date): Promise<StaleUploads> {
    return countStaleUploads(this.#database, before);
  }
  uploadsInStorage(stateIds: readonly string[]): Promise<Set<string>> {
    return uploadsInStorage(this.#database, stateIds);
  }

  /** The time by the clock that all rows of the catalog have theirs from. */
  now(): Promise<Date> {
    return this.#database.now();
  }

  listBin(wanted: BinQuery): Promise<Page<BinEntry>> {
    return listBin(this.#database, wanted);
  }
  async restore(entryId: string, projectId: number, actor: string): Promise<Restored> {
    const repository = (await repositoryInBin(this.#database, entryId)) ?? '';
    return this.#withinQuota({ repository, actor }, () => restore(this.#database, entryId, projectId, actor));
  }
  purgeBin(before: Date, limit: number): Promise<PurgedBin> {
    return purgeBin(this.#database, before, limit);
  }
  collectGarbage(wanted: GarbageToCollect): Promise<CollectedGarbage> {
    return collectGarbage(this.#database, wanted);
  }
  previewGarbage(wanted: PreviewWanted): Promise<GarbagePreview> {
    return previewGarbage(this.#database, wanted);
  }
  hasGarbage(wanted: Pick<PreviewWanted, 'graceSeconds' | 'binBefore'>): Promise<boolean> {
    return hasGarbage(this.#database, wanted);
  }
  untaggedArtifacts(wanted: { readonly graceSeconds: number; readonly after?: string | undefined }): Promise<UntaggedPage> {
    return untaggedArtifacts(this.#database, wanted);
  }

  usage(projectId: number): Promise<ProjectUsage> {
    return usage(this.#database, projectId);
  }
  recomputeUsage(projectId: number): Promise<number> {
    return recomputeUsage(this.#database, projectId);
  }
  repairUsage(projectId: number): Promise<ProjectUsage> {
    return repairUsage(this.#database, projectId);
  }
  projectHolds(projectId: number, digest: Digest): Promise<boolean> {
    return projectHolds(this.#database, projectId, digest);
  }
  /** The refusal for a request that would add `added` bytes, told as an event, too; for those who see beforehand that there is no room. */
  async quotaRefusal(projectId: number, addition: Addition, added: number): Promise<CatalogError> {
    const refusal = await quotaRefusal(this.#database, projectId, added);
    await tellRefusal(this.#database, this.#logger, addition, refusal);
    return refusal;
  }
  foldQuotaChanges(limit: number): Promise<number> {
    return foldQuotaChanges(this.#database, limit);
  }

  /** Runs the change that makes stored bytes part of a repository; what it refuses is left to garbage collection. */
  #stored<Result>(blob: Addition & { readonly digest: Digest; readonly size: number }, work: () => Promise<Result>): Promise<Result> {
    return this.#withinQuota(blob, async () => {
      try {
        return await withinQuota(work);
      } catch (error) {
        if (error instanceof CatalogError && error.code !== 'blob-deleting') await abandonBlob(this.#database, blob.digest, blob.size);
        throw error;
      }
    });
  }

  /** Runs a change; that it is refused for the quota is told as an event. */
  async #withinQuota<Result>(addition: Addition, work: () => Promise<Result>): Promise<Result> {
    try {
      return await withinQuota(work);
    } catch (error) {
      await tellRefusal(this.#database, this.#logger, addition, error);
      throw error;
    }
  }
}
