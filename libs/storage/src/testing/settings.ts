/** The S3 server that the test set-up started. */
export interface TestS3 {
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Without a server the tests that need one fail: a storage adapter that nobody ran is not tested. */
export function testS3(): TestS3 {
  return { endpoint: required('HAVEN_TEST_S3_ENDPOINT'), accessKey: required('HAVEN_TEST_S3_ACCESS_KEY'), secretKey: required('HAVEN_TEST_S3_SECRET_KEY') };
}

/** Chooses the faults of the faulty S3 server; printed by the tests, so that a failed run can be repeated. */
export function faultSeed(): number {
  const text = process.env['HAVEN_TEST_FAULT_SEED'];
  const seed = text === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(text);
  if (!Number.isSafeInteger(seed)) throw new Error('HAVEN_TEST_FAULT_SEED must be a whole number.');
  return seed;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set: the test set-up (tools/test-services) must start an S3 server.`);
  return value;
}
