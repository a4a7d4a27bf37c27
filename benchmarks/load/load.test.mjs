import { describe, expect, test } from '@jest/globals';
import { parseTicks } from './cpu.mjs';
import { parseCurl } from './curl.mjs';
import { loopback } from './http.mjs';
import { parseResident } from './memory.mjs';
import { withDigest } from './registry.mjs';
import { parseWrk } from './wrk.mjs';

const REPORT = `Running 2s test @ http://127.0.0.1:5000/
  1 threads and 32 connections
  4321 requests in 2.00s, 1.20GB read
Requests/sec:   2160.50
Transfer/sec:    614.40MB
`;

describe('wrk', () => {
  test('rates are read in requests and bytes', () => {
    expect(parseWrk(REPORT)).toEqual({ requestsPerSecond: 2160.5, bytesPerSecond: 614.4 * 1024 * 1024 });
  });
  test('answers that are not 2xx or 3xx fail the workload', () => {
    expect(() => parseWrk(`${REPORT}  Non-2xx or 3xx responses: 17\n`)).toThrow('17 answers');
  });
  test('socket errors fail the workload', () => {
    expect(() => parseWrk(`${REPORT}  Socket errors: connect 0, read 3, write 0, timeout 0\n`)).toThrow('socket errors');
  });
  test('another text is refused', () => {
    expect(() => parseWrk('unable to connect')).toThrow('not understood');
  });
});

describe('curl', () => {
  test('the address of the next request and the figures are read', () => {
    const output = 'HTTP/1.1 202 Accepted\r\nLocation: /v2/a/b/blobs/uploads/1?_state=x%3D\r\nRange: 0-9\r\n\r\n202 0.250000 0 1024\n';
    expect(parseCurl(output)).toEqual({ status: 202, seconds: 0.25, down: 0, up: 1024, location: '/v2/a/b/blobs/uploads/1?_state=x%3D' });
  });
  test('an answer without an address has none', () => {
    expect(parseCurl('HTTP/1.1 200 OK\r\n\r\n200 1.5 1024 0\n').location).toBeUndefined();
  });
  test('another text is refused', () => {
    expect(() => parseCurl('something else')).toThrow('not understood');
  });
});

test('resident memory is read in bytes, and an ended process is an error', () => {
  expect(parseResident('Name:\tnode\nVmHWM:\t  90 kB\nVmRSS:\t   51200 kB\n')).toBe(50 * 1024 * 1024);
  expect(() => parseResident('Name:\tnode\nState:\tZ (zombie)\n')).toThrow('ended');
});

test('only this machine is ever loaded', () => {
  expect(loopback('http://127.0.0.1:5000/v2/').port).toBe('5000');
  expect(() => loopback('http://registry.example.org/v2/')).toThrow('not a loopback address');
});

test('the state that a server keeps in the upload address survives', () => {
  expect(withDigest('http://127.0.0.1:1/v2/a/blobs/uploads/1?_state=x%3D', 'sha256:ab')).toBe('http://127.0.0.1:1/v2/a/blobs/uploads/1?_state=x%3D&digest=sha256%3Aab');
});

test('CPU time is read behind a process name with spaces and brackets', () => {
  expect(parseTicks('42 (a) b) c) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 3 1 20 0 11 0 100 0 0')).toBe(16);
});
