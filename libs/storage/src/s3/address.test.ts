import { describe, expect, test } from '@jest/globals';
import { StorageError } from '../storage-error.js';
import { parseS3Address } from './address.js';

describe('an S3 address', () => {
  test('without options is that of AWS', () => {
    expect(parseS3Address(new URL('s3://my-bucket'))).toEqual({
      bucket: 'my-bucket', prefix: '', host: 's3.us-east-1.amazonaws.com', port: undefined, secure: true, region: 'us-east-1', pathStyle: false, redirect: false, authorities: undefined,
    });
  });

  test('says everything else in options', () => {
    expect(parseS3Address(new URL('s3://b.c/one/two/?endpoint=http://10.0.0.1:9000&region=eu-west-3&redirect=true&path_style=false'))).toMatchObject({
      bucket: 'b.c', prefix: 'one/two/', host: '10.0.0.1', port: 9000, secure: false, region: 'eu-west-3', pathStyle: false, redirect: true,
    });
    expect(parseS3Address(new URL('s3://bucket?endpoint=https://[::1]:9000'))).toMatchObject({ host: '::1', port: 9000, secure: true, pathStyle: true });
  });

  test.each([
    ['s3://UP_PER', 'bucket name'],
    ['s3://', 'bucket name'],
    ['s3://key:secret@bucket', 'keys do not belong in the address'],
    ['s3://bucket/a%2fb', 'prefix'],
    ['s3://bucket/a b', 'prefix'],
    ['s3://bucket/.../x', 'prefix'],
    ['s3://bucket?endpont=https://x', 'no option "endpont"'],
    ['s3://bucket?region=a&region=b', 'more than once'],
    ['s3://bucket?region=EU', 'region'],
    ['s3://bucket?endpoint=minio:9000', 'endpoint'],
    ['s3://bucket?endpoint=https://x/path', 'endpoint'],
    ['s3://bucket?endpoint=https://user:pass@x', 'endpoint'],
    ['s3://bucket?redirect=yes', 'redirect must be true or false'],
    ['s3://bucket?ca_file=/no/such/file', 'cannot be read (ENOENT)'],
  ])('is refused with its reason: %s', (url, reason) => {
    expect(() => parseS3Address(new URL(url))).toThrow(reason);
    expect(() => parseS3Address(new URL(url))).toThrow(StorageError);
  });
});
