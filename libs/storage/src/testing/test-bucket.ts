import { randomBytes } from 'node:crypto';
import { Client } from 'minio';
import { testS3 } from './settings.js';

/** A new bucket on the S3 server of the tests. */
export interface TestBucket {
  readonly name: string;
  /** For looking behind the adapter's back. */
  readonly client: Client;
  readonly keys: { readonly accessKey: string; readonly secretKey: string };
  /** The address for `openStorage`, by way of the server itself or of another endpoint. */
  address(options?: { endpoint?: string; prefix?: string; redirect?: boolean }): string;
  /** The keys of all objects. */
  objects(): Promise<string[]>;
}

export async function createTestBucket(): Promise<TestBucket> {
  const { endpoint, accessKey, secretKey } = testS3();
  const url = new URL(endpoint);
  const client = new Client({ endPoint: url.hostname, port: Number(url.port), useSSL: false, accessKey, secretKey, region: 'us-east-1', pathStyle: true });
  const name = `haven-${randomBytes(8).toString('hex')}`;
  await client.makeBucket(name);
  return {
    name, client, keys: { accessKey, secretKey },
    address: ({ endpoint: other = endpoint, prefix = '', redirect = false } = {}) => `s3://${name}/${prefix}?endpoint=${encodeURIComponent(other)}&redirect=${redirect}`,
    objects: async () => {
      const keys: string[] = [];
      for await (const { name: key } of client.listObjectsV2(name, '', true) as AsyncIterable<{ name?: string }>) keys.push(String(key));
      return keys;
    },
  };
}
