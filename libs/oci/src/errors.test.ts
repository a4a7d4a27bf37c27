import { expect, test } from '@jest/globals';
import { OCI_ERRORS, OciError, ociErrorBody } from './errors.js';

test('an error takes status and sentence from the table', () => {
  const error = new OciError('MANIFEST_UNKNOWN');
  expect(error).toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404, message: OCI_ERRORS.MANIFEST_UNKNOWN.message });
  expect([error.detail, error.headers, error.cause]).toEqual([undefined, undefined, undefined]);
});

test('an error may say more than the table', () => {
  const cause = new Error('disk');
  const error = new OciError('UNSUPPORTED', { status: 415, message: 'No.', detail: { a: 1 }, headers: { allow: 'GET' }, cause });
  expect(error).toMatchObject({ status: 415, message: 'No.', detail: { a: 1 }, headers: { allow: 'GET' }, cause });
});

test('the body has the shape of the spec and never the cause', () => {
  const body = ociErrorBody(new OciError('DENIED', { detail: { repository: 'a/b' }, cause: new Error('secret') }));
  expect(JSON.parse(body)).toEqual({ errors: [{ code: 'DENIED', message: 'You may not do this.', detail: { repository: 'a/b' } }] });
  expect(JSON.parse(ociErrorBody(new OciError('DENIED')))).toEqual({ errors: [{ code: 'DENIED', message: 'You may not do this.' }] });
});

test('codes are upper-case words and statuses are errors', () => {
  for (const [code, { status, message }] of Object.entries(OCI_ERRORS)) {
    expect(code).toMatch(/^[A-Z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(message).toMatch(/^[A-Z].*\.$/);
  }
});
