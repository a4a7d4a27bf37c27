import { describe, expect, test } from '@jest/globals';
import { ResponseHeaders } from '../headers/response-headers.js';
import { parseHandOver } from './hand-over.js';

const hex = 'ab'.padEnd(64, '0');
const file = `docker/registry/v2/blobs/sha256/ab/${hex}/data`;
const request = `/v2/a/b/blobs/sha256:${hex}`;

function parse(value: string, { status = 200, path = request, ...headers }: { status?: number; path?: string; 'content-range'?: string; 'content-length'?: string } = {}): ReturnType<typeof parseHandOver> {
  return parseHandOver(path, status, ResponseHeaders.fromRecord({ 'x-haven-file': value, ...headers }));
}

describe('parseHandOver', () => {
  test('accepts a whole file and a range of one', () => {
    expect(parse(`${file};0-99`, { 'content-length': '0' })).toEqual({ status: 200, path: file, start: 0, end: 99, size: 100 });
    expect(parse(`${file};5-9`, { status: 206, 'content-range': 'bytes 5-9/100' })).toEqual({ status: 206, path: file, start: 5, end: 9, size: 100 });
    const long = 'cd'.padEnd(128, '1');
    expect(parse(`docker/registry/v2/blobs/sha512/cd/${long}/data;0-0`, { path: `/v2/a/b/blobs/sha512:${long}` })).toMatchObject({ size: 1 });
  });

  test.each([
    `../${file};0-9`, `/${file};0-9`, `docker/registry/v2/blobs/sha256/ab/../ab/${hex}/data;0-9`, `docker/registry/v2/blobs/sha256/ab/${hex}/../../data;0-9`, 'haven/uploads/x;0-9', `docker/registry/v2/blobs/md5/ab/${hex}/data;0-9`,
    `docker/registry/v2/blobs/sha256/cd/${hex}/data;0-9`, `docker/registry/v2/blobs/sha512/ab/${hex}/data;0-9`, `${file};0-9;`, `${file};-1-9`, `${file}; 0-9`, `${file}`, `${file};9-0`, `${file};0-`, `${file.toUpperCase()};0-9`, `${file}\u0000;0-9`,
    `docker/registry/v2/blobs/sha256/ab/${hex}00/data;0-9`, `docker/registry/v2/blobs/sha256/ab/${'ab'.padEnd(64, '1')}/data;0-9`,
  ])('refuses %j', (value) => {
    expect(parse(value)).toEqual(expect.any(String));
  });

  test('refuses a file that is not the requested blob, a body beside it, and a range that does not agree', () => {
    expect(parse(`${file};0-9`, { path: `/v2/a/b/blobs/sha256:${'0'.repeat(64)}` })).toEqual(expect.any(String));
    expect(parse(`${file};0-9`, { path: '/v2/a/b/manifests/x' })).toEqual(expect.any(String));
    expect(parse(`${file};0-9`, { 'content-length': '10' })).toEqual(expect.any(String));
    expect(parse(`${file};5-9`)).toEqual(expect.any(String));
    expect(parse(`${file};5-9`, { status: 206 })).toEqual(expect.any(String));
    expect(parse(`${file};5-9`, { status: 206, 'content-range': 'bytes 4-9/100' })).toEqual(expect.any(String));
    expect(parse(`${file};5-9`, { status: 206, 'content-range': 'bytes 5-9/9' })).toEqual(expect.any(String));
    expect(parse(`${file};0-9`, { status: 404 })).toEqual(expect.any(String));
  });
});
