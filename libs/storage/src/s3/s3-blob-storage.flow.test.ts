import { blobStorageContract } from '../blob-storage.contract.js';
import { openStorage } from '../open-storage.js';
import { createTestBucket } from '../testing/test-bucket.js';

blobStorageContract('S3', async () => {
  const bucket = await createTestBucket();
  return { storage: openStorage(bucket.address({ prefix: 'some/where' }), bucket.keys), close: async () => undefined };
});
