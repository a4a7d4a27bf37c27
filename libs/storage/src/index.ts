export {
  type AppendResult, BlobStorage, type ByteRange, type DeleteOptions, type FoundBlob, isUploadId, type JsonValue, type RedirectOptions, type StaleUpload, type StoredBlob, type UnfinishedCommit, type UploadState,
} from './blob-storage.js';
export { FilesystemBlobStorage } from './filesystem/filesystem-blob-storage.js';
export { blobPath, digestOfBlobPath } from './layout.js';
export { MemoryBlobStorage } from './memory-blob-storage.js';
export { openStorage, type StorageCredentials } from './open-storage.js';
export { S3BlobStorage } from './s3/s3-blob-storage.js';
export { createTestBucket, type TestBucket } from './testing/test-bucket.js';
export { BlobMissing, StorageError, type StorageFailure, UploadMissing } from './storage-error.js';
